#include "interpose/order/chain_cache.h"

#include "graph/base/arena.h"
#include "interpose/base/hash.h"

enum { CACHE_LIMIT = 1 << 16, CACHE_SHIFT = 20, WAYS = 8 };

/* A key may stand anywhere in its set, which is one cache line: with the keys spread over single
 * places, those of 10,000 locks would push each other out one time in ten. */
static uint64_t *cache_set(struct dlw_thread *self, uint64_t key)
{
    uint64_t mask = self->validated_mask;

    /* In this order: a signal handler's learning may put a larger table in place. */
    atomic_signal_fence(memory_order_seq_cst);
    return &self->validated[(key >> CACHE_SHIFT) & mask & ~(uint64_t)(WAYS - 1)];
}

/* False: the set is full. */
static bool cache_add(uint64_t *set, uint64_t key)
{
    for (unsigned i = 0; i < WAYS; i++)
        if (set[i] == 0 || set[i] == key) {
            set[i] = key;
            return true;
        }
    return false;
}

/*
 * Grows when it has pushed out half as many as it has room for; what doesn't fit is asked for once
 * more. This may be in a signal handler that interrupted a look-up in the old table: that stays
 * mapped until the record is used again. Its first word becomes the table before it.
 */
static void cache_grow(struct dlw_thread *self)
{
    size_t slots = ((size_t)self->validated_mask + 1) * 4;
    uint64_t *larger = slots <= CACHE_LIMIT ? dlw_pages_map(slots * sizeof(*larger)) : NULL;

    self->misses = 0;
    if (!larger)
        return;
    uint64_t *old = self->validated;
    size_t old_slots = (size_t)self->validated_mask + 1;
    self->validated = larger;
    atomic_signal_fence(memory_order_seq_cst);
    self->validated_mask = (uint32_t)(slots - 1);
    for (size_t i = 0; i < old_slots; i++)
        if (old[i])
            cache_add(cache_set(self, old[i]), old[i]);
    if (old == self->first_validated)
        return;
    old[0] = (uintptr_t)self->outgrown;
    self->outgrown = old;
}

void dlw_chain_cache_put(struct dlw_thread *self, uint64_t key)
{
    if (cache_add(cache_set(self, key), key))
        return;
    if (++self->misses > self->validated_mask / 2)
        cache_grow(self);
    if (!cache_add(cache_set(self, key), key))
        cache_set(self, key)[self->misses % WAYS] = key;
}

static uint64_t mix(uint64_t x)
{
    x ^= x >> 31;
    x *= DLW_GOLDEN;
    return x ^ x >> 29;
}

/* The base of all keys carries the generation and the era, the salt the thread's segment. */
void dlw_chain_renew_base(struct dlw_thread *self, uint32_t generation, uint32_t era)
{
    self->generation = generation;
    self->base = mix(mix((uint64_t)generation << 32 | era) + 1);
    self->stale_above = 0;
}

/* The salt leaves the bits of a key that choose its cache set as they are: one look finds a key
 * with or without the salt. */
void dlw_chain_renew_salt(struct dlw_thread *self)
{
    const uint64_t slots = (uint64_t)(CACHE_LIMIT - 1) << CACHE_SHIFT;

    self->salt = (mix((uint64_t)self->segment << 32 | self->id) & ~slots) | 1;
}

bool dlw_chain_is_cached(struct dlw_thread *self, uint64_t key, _Atomic uint64_t *chain)
{
    const uint64_t *set = cache_set(self, key);
    uint64_t salted = key ^ self->salt;
    uint64_t found = 0;

    for (unsigned i = 0; i < WAYS; i++) /* no early way out: eight compares in a row are cheaper */
        found = set[i] == key || set[i] == salted ? set[i] : found;
    if (!found ||
        self->generation != atomic_load_explicit(&dlw_generation.value, memory_order_relaxed))
        return false;
    if (chain && dlw_marks_are_on)
        atomic_store_explicit(chain, found, memory_order_relaxed);
    return true;
}
