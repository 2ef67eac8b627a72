/*
 * What was told before, known by a hash of what it says. Of a million different ones two have the
 * same 64 bits in one of forty million processes. A table in an arena; all zero is the empty one.
 * Not thread-safe.
 */
#ifndef DLW_EMIT_JOURNAL_REPEATS_H
#define DLW_EMIT_JOURNAL_REPEATS_H

#include "graph/base/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the fields beside the key mean is the owner's: all are 0 in a new one. */
struct dlw_repeat {
    uint64_t key; /* 0: a free place */
    uint32_t count, id;
    uint32_t first;
    uint16_t lines, least;
};

struct dlw_repeats {
    struct dlw_repeat *slots;
    size_t n, room; /* room is a power of two */
};

/* NULL: not there. Valid until another is added, as below. */
struct dlw_repeat *dlw_repeats_find(const struct dlw_repeats *repeats, uint64_t key);
/* There or made. NULL: no memory, the table is as before. */
struct dlw_repeat *dlw_repeats_add(struct dlw_repeats *repeats, struct dlw_arena *arena,
                                   uint64_t key);
void dlw_repeats_clear(struct dlw_repeats *repeats); /* keeps the memory */
void dlw_repeats_free(struct dlw_repeats *repeats, struct dlw_arena *arena);

#endif
