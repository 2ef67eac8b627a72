/* A growing set of ids in an arena: it costs by the ids in it, dense ones a bit or two each,
 * whatever lies between them. All zero is the empty set. */
#ifndef DLW_EMIT_JOURNAL_IDSET_H
#define DLW_EMIT_JOURNAL_IDSET_H

#include "graph/base/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dlw_idset_word {
    uint64_t number; /* of the word, from 1; 0: a free place */
    uint64_t bits;
};

struct dlw_idset {
    struct dlw_idset_word *words; /* a hash table */
    size_t n, room;               /* room is a power of two */
};

bool dlw_idset_has(const struct dlw_idset *set, uint64_t id);
/* False: no memory, the set is as before. */
bool dlw_idset_add(struct dlw_idset *set, struct dlw_arena *arena, uint64_t id);
void dlw_idset_remove(struct dlw_idset *set, uint64_t id);
/* Calls `visit` with each id, in no order; it must not change the set. */
void dlw_idset_each(const struct dlw_idset *set, void (*visit)(void *context, uint64_t id),
                    void *context);
void dlw_idset_clear(struct dlw_idset *set); /* keeps the memory */
void dlw_idset_free(struct dlw_idset *set, struct dlw_arena *arena);

#endif
