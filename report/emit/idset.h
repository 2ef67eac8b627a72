/* A growing set of dense ids: one bit each, in an arena. All zero is the empty set. */
#ifndef DLW_EMIT_IDSET_H
#define DLW_EMIT_IDSET_H

#include "graph/base/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dlw_idset {
    uint64_t *words;
    size_t n_words;
};

bool dlw_idset_has(const struct dlw_idset *set, uint64_t id);
/* False: no memory, the set is as before. */
bool dlw_idset_add(struct dlw_idset *set, struct dlw_arena *arena, uint64_t id);
void dlw_idset_clear(struct dlw_idset *set); /* keeps the memory */
void dlw_idset_free(struct dlw_idset *set, struct dlw_arena *arena);

#endif
