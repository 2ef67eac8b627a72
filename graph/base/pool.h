/*
 * Records of one size behind dense numbers. They live in segments that never
 * move, so growing relocates nothing and a pointer stays good until its record
 * is freed; a segment of which nothing is left goes back to the arena.
 *
 * Numbers begin at 1; 0 names nothing. A freed number is handed out again. A
 * fresh record is zero; a freed one keeps its bytes except for the first four.
 *
 * Not thread-safe. Every call is O(1) except reserve of many at once.
 */
#ifndef DLW_BASE_POOL_H
#define DLW_BASE_POOL_H

#include "graph/base/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DLW_POOL_SHIFT = 12, DLW_POOL_SEGMENT = 1 << DLW_POOL_SHIFT };

struct dlw_pool_segment {
    uint32_t free;  /* slot + 1 of the last one freed, 0: none */
    uint32_t fresh; /* slots from here on were never handed out */
    uint32_t live;
    uint32_t next, prev; /* segments with room, or (next only) numbers without a segment; + 1 */
};

struct dlw_pool {
    struct dlw_arena *arena;
    char **bases; /* NULL: the segment was given back */
    struct dlw_pool_segment *segments;
    uint32_t n_segments, room; /* entries in use and allocated in both arrays */
    uint32_t stride;
    uint32_t with_room; /* list heads, segment + 1 */
    uint32_t unmapped;
    uint32_t n_mapped;
    uint32_t live;  /* the reserved record 0 included */
    uint32_t spare; /* an empty segment kept against thrashing, + 1 */
};

/* False when memory is out; then the pool is empty and may be freed. */
bool dlw_pool_init(struct dlw_pool *pool, struct dlw_arena *arena, uint32_t stride);
void dlw_pool_destroy(struct dlw_pool *pool);
/* After true, `n` allocations can't fail. */
bool dlw_pool_reserve(struct dlw_pool *pool, uint32_t n);
/* 0 when memory is out. */
uint32_t dlw_pool_alloc(struct dlw_pool *pool);
void dlw_pool_free(struct dlw_pool *pool, uint32_t id);

static inline void *dlw_pool_at(const struct dlw_pool *pool, uint32_t id)
{
    return pool->bases[id >> DLW_POOL_SHIFT] + (size_t)(id & (DLW_POOL_SEGMENT - 1)) * pool->stride;
}

/* Records in use. */
static inline uint32_t dlw_pool_count(const struct dlw_pool *pool)
{
    return pool->live - 1;
}

/* The next number after `id` whose record was ever handed out and still has memory, 0 at the end:
 * freed ones are among them, the caller tells by their content. */
uint32_t dlw_pool_next(const struct dlw_pool *pool, uint32_t id);

#endif
