/*
 * What all of tell/ writes to: the journal, the copy of findings in memory, the process that both
 * speak of. Guarded by one lock, but for the counts.
 */
#ifndef DLW_TELL_OUTPUT_H
#define DLW_TELL_OUTPUT_H

#include "graph/base/arena.h"
#include "graph/base/lock.h"
#include "report/emit/journal/journal.h"

/* RANK_EMIT: held while a line is built and written, nests nothing. */
extern struct dlw_lock dlw_emit_lock;

extern struct dlw_output {
    struct dlw_arena arena;
    struct dlw_journal *journal; /* NULL without report= */
    /* Findings kept in memory for attach and core (records.h); created at the first finding. */
    struct dlw_journal *findings;
    struct dlw_journal_process process;
    struct dlw_journal_bounds bounds; /* that the journal has */
    /* The process has confined itself. Threads that were in the middle of learning have something
     * to say still, and to write it takes system calls that the program doesn't make. */
    bool is_silent;
    _Atomic uint32_t n_errors; /* relaxed, as the next: sums for the totals */
    _Atomic uint64_t n_edges;
} dlw_output;

/* The copy in memory. */
struct dlw_journal *dlw_output_in_memory_locked(void);
/* Now and then, for who is killed; the end of the process tells the rest. */
void dlw_output_bounds_locked(const struct dlw_journal_bounds *now, bool is_end);
/* What the library can't do here, as far as it was not told yet. Takes the lock. */
void dlw_output_tell_lacks(void);

#endif
