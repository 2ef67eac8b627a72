/* Lines kept in memory for who looks from outside (records.h). Called with the emit lock held. */
#ifndef DLW_EMIT_JOURNAL_KEEP_H
#define DLW_EMIT_JOURNAL_KEEP_H

#include "graph/base/arena.h"
#include "report/emit/records.h"

#include <stdbool.h>

struct dlw_kept {
    struct dlw_records_chunk *_Atomic first; /* read from outside */
    struct dlw_records_chunk *last;
    size_t room; /* of the last chunk */
};

/* Whole lines only. False: out of memory. */
bool dlw_keep(struct dlw_kept *kept, struct dlw_arena *arena, const char *lines, size_t size);
/* In a forked child: what the parent said is the parent's. */
void dlw_keep_nothing(struct dlw_kept *kept, struct dlw_arena *arena);

#endif
