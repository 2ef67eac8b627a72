#include "graph/base/pool.h"

#include <string.h>

enum { FEWEST_SEGMENTS = 2 };

static size_t segment_bytes(const struct dlw_pool *pool)
{
    return (size_t)DLW_POOL_SEGMENT * pool->stride;
}

static void list_push(struct dlw_pool *pool, uint32_t s)
{
    struct dlw_pool_segment *segment = &pool->segments[s];

    segment->prev = 0;
    segment->next = pool->with_room;
    if (segment->next)
        pool->segments[segment->next - 1].prev = s + 1;
    pool->with_room = s + 1;
}

static void list_drop(struct dlw_pool *pool, uint32_t s)
{
    const struct dlw_pool_segment *segment = &pool->segments[s];

    if (segment->prev)
        pool->segments[segment->prev - 1].next = segment->next;
    else
        pool->with_room = segment->next;
    if (segment->next)
        pool->segments[segment->next - 1].prev = segment->prev;
}

static bool resize_directory(struct dlw_pool *pool, uint32_t room)
{
    char **bases = dlw_arena_alloc(pool->arena, room * sizeof(*bases));
    struct dlw_pool_segment *segments = dlw_arena_alloc(pool->arena, room * sizeof(*segments));

    if (!bases || !segments) {
        dlw_arena_free(pool->arena, bases, room * sizeof(*bases));
        dlw_arena_free(pool->arena, segments, room * sizeof(*segments));
        return false;
    }
    if (pool->n_segments) {
        memcpy(bases, pool->bases, pool->n_segments * sizeof(*bases));
        memcpy(segments, pool->segments, pool->n_segments * sizeof(*segments));
    }
    dlw_arena_free(pool->arena, pool->bases, pool->room * sizeof(*bases));
    dlw_arena_free(pool->arena, pool->segments, pool->room * sizeof(*segments));
    pool->bases = bases;
    pool->segments = segments;
    pool->room = room;
    return true;
}

static bool grow_directory(struct dlw_pool *pool)
{
    return resize_directory(pool, pool->room ? pool->room * 2 : FEWEST_SEGMENTS);
}

static bool add_segment(struct dlw_pool *pool)
{
    if (!pool->unmapped && pool->n_segments == pool->room && !grow_directory(pool))
        return false;
    if (!pool->unmapped && pool->n_segments >= UINT32_MAX >> DLW_POOL_SHIFT)
        return false;
    char *base = dlw_arena_alloc(pool->arena, segment_bytes(pool));
    if (!base)
        return false;
    uint32_t s;
    if (pool->unmapped) {
        s = pool->unmapped - 1;
        pool->unmapped = pool->segments[s].next;
    } else {
        s = pool->n_segments++;
    }
    pool->bases[s] = base;
    memset(&pool->segments[s], 0, sizeof(pool->segments[s]));
    list_push(pool, s);
    if (!pool->spare)
        pool->spare = s + 1;
    pool->n_mapped++;
    return true;
}

static void drop_segment(struct dlw_pool *pool, uint32_t s)
{
    list_drop(pool, s);
    dlw_arena_free(pool->arena, pool->bases[s], segment_bytes(pool));
    pool->bases[s] = NULL;
    pool->segments[s].next = pool->unmapped;
    pool->unmapped = s + 1;
    if (--pool->n_mapped == 1) { /* segment 0, which holds the reserved record */
        pool->n_segments = 1;
        pool->unmapped = 0;
        resize_directory(pool, FEWEST_SEGMENTS);
    }
}

bool dlw_pool_init(struct dlw_pool *pool, struct dlw_arena *arena, uint32_t stride)
{
    memset(pool, 0, sizeof(*pool));
    pool->arena = arena;
    pool->stride = stride;
    if (!add_segment(pool)) {
        dlw_pool_destroy(pool);
        return false;
    }
    pool->segments[0].fresh = 1;
    pool->segments[0].live = 1;
    pool->spare = 0;
    pool->live = 1;
    return true;
}

void dlw_pool_destroy(struct dlw_pool *pool)
{
    for (uint32_t s = 0; s < pool->n_segments; s++) {
        if (pool->bases[s])
            dlw_arena_free(pool->arena, pool->bases[s], segment_bytes(pool));
    }
    dlw_arena_free(pool->arena, pool->bases, pool->room * sizeof(*pool->bases));
    dlw_arena_free(pool->arena, pool->segments, pool->room * sizeof(*pool->segments));
    memset(pool, 0, sizeof(*pool));
}

bool dlw_pool_reserve(struct dlw_pool *pool, uint32_t n)
{
    while (((size_t)pool->n_mapped << DLW_POOL_SHIFT) - pool->live < n) {
        if (!add_segment(pool))
            return false;
    }
    return true;
}

uint32_t dlw_pool_alloc(struct dlw_pool *pool)
{
    if (!pool->with_room && !add_segment(pool))
        return 0;
    uint32_t s = pool->with_room - 1;
    struct dlw_pool_segment *segment = &pool->segments[s];
    uint32_t slot = segment->free ? segment->free - 1 : segment->fresh;
    char *record = pool->bases[s] + (size_t)slot * pool->stride;

    if (segment->free) {
        memcpy(&segment->free, record, sizeof(segment->free));
        memset(record, 0, pool->stride);
    } else {
        segment->fresh++;
    }
    if (++segment->live == DLW_POOL_SEGMENT)
        list_drop(pool, s);
    if (pool->spare == s + 1)
        pool->spare = 0;
    pool->live++;
    return s << DLW_POOL_SHIFT | slot;
}

/*
 * One empty segment is kept, so that a count that swings about a boundary does
 * not map and unmap; below half a segment in all, not even that.
 */
static void give_back(struct dlw_pool *pool, uint32_t s)
{
    if (pool->segments[s].live == 0) {
        if (pool->spare)
            drop_segment(pool, s);
        else
            pool->spare = s + 1;
    }
    if (pool->spare && pool->live <= DLW_POOL_SEGMENT / 2) {
        drop_segment(pool, pool->spare - 1);
        pool->spare = 0;
    }
}

void dlw_pool_free(struct dlw_pool *pool, uint32_t id)
{
    uint32_t s = id >> DLW_POOL_SHIFT;
    struct dlw_pool_segment *segment = &pool->segments[s];

    memcpy(dlw_pool_at(pool, id), &segment->free, sizeof(segment->free));
    segment->free = (id & (DLW_POOL_SEGMENT - 1)) + 1;
    if (segment->live-- == DLW_POOL_SEGMENT)
        list_push(pool, s);
    pool->live--;
    give_back(pool, s);
}

uint32_t dlw_pool_next(const struct dlw_pool *pool, uint32_t id)
{
    uint32_t slot = (id & (DLW_POOL_SEGMENT - 1)) + 1;

    for (uint32_t s = id >> DLW_POOL_SHIFT; s < pool->n_segments; s++, slot = 0) {
        if (pool->bases[s] && slot < pool->segments[s].fresh)
            return s << DLW_POOL_SHIFT | slot;
    }
    return 0;
}
