/*
 * A hash index over records that carry their own `next` number. It grows and
 * shrinks by one bucket at a time (W. Litwin, "Linear Hashing: A New Tool for
 * File and Table Addressing", VLDB 1980), so no insertion ever pays for
 * rehashing everything, and where memory is out it only gets slower.
 *
 * Lookup is the owner's loop over dlw_index_first and its records' next.
 */
#ifndef DLW_BASE_INDEX_H
#define DLW_BASE_INDEX_H

#include "graph/base/arena.h"

#include <stdbool.h>
#include <stdint.h>

struct dlw_index {
    struct dlw_arena *arena;
    const void *owner; /* passed to the functions below */
    uint32_t (*hash)(const void *owner, uint32_t id);
    uint32_t *(*next)(const void *owner, uint32_t id);
    uint32_t *heads;
    uint32_t n_buckets, room;
    uint32_t count;
};

/* `arena`, `owner`, `hash` and `next` are set. False when memory is out. */
bool dlw_index_init(struct dlw_index *index);
void dlw_index_destroy(struct dlw_index *index);
void dlw_index_insert(struct dlw_index *index, uint32_t id);
void dlw_index_remove(struct dlw_index *index, uint32_t id);

/* Buckets below the split point use one bit more than the others. */
static inline uint32_t dlw_index_bucket(const struct dlw_index *index, uint32_t hash)
{
    uint32_t low = 1U << (31 - __builtin_clz(index->n_buckets));
    uint32_t bucket = hash & (low | (low - 1));

    return bucket < index->n_buckets ? bucket : bucket & (low - 1);
}

static inline uint32_t dlw_index_first(const struct dlw_index *index, uint32_t hash)
{
    return index->heads[dlw_index_bucket(index, hash)];
}

/* Mixes a key so that its low bits depend on all of it (the finaliser of splitmix64). */
static inline uint64_t dlw_mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
    return x ^ (x >> 31);
}

#endif
