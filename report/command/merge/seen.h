/*
 * In which journals a piece of evidence was seen: a set of small numbers. Few of many are kept as a
 * sorted list, many as bits, so that ten thousand journals cost an edge that is in ten of them
 * forty bytes.
 */
#ifndef DLW_COMMAND_MERGE_SEEN_H
#define DLW_COMMAND_MERGE_SEEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dlw_seen {
    uint32_t *list; /* sorted; NULL with `bits` */
    uint64_t *bits;
    size_t n, room; /* of the list; `room` words of bits */
};                  /* all-zero is a valid empty set */

/* Out of memory ends the command, as in arena.h. Costs little where numbers come in order. */
void dlw_seen_add(struct dlw_seen *seen, uint32_t number);
bool dlw_seen_has(const struct dlw_seen *seen, uint32_t number);
/* How many, and they themselves in order into `out`, which has room for them. NULL: only counts. */
size_t dlw_seen_numbers(const struct dlw_seen *seen, uint32_t *out);
void dlw_seen_free(struct dlw_seen *seen);

#endif
