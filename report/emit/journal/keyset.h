/* A growing set of hashes in an arena, eight to twenty bytes each. All zero is the empty set. */
#ifndef DLW_EMIT_JOURNAL_KEYSET_H
#define DLW_EMIT_JOURNAL_KEYSET_H

#include "graph/base/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dlw_keyset {
    uint64_t *keys; /* 0: a free place */
    size_t n, room; /* room is a power of two */
};

/* True: it was not there, and where memory is out is not there now. */
bool dlw_keyset_add(struct dlw_keyset *set, struct dlw_arena *arena, uint64_t key);
void dlw_keyset_clear(struct dlw_keyset *set); /* keeps the memory */
void dlw_keyset_free(struct dlw_keyset *set, struct dlw_arena *arena);

#endif
