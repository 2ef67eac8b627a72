/*
 * What the journal says of threads, kept beyond their end while something may still name them: the
 * evidence of the lock order does, for as long as it is kept. Threads that come and go would fill
 * memory else, so whenever the table has doubled those that have ended and that no evidence
 * names are dropped.
 *
 * Called with the emit lock held (output.h).
 */
#ifndef DLW_TELL_THREAD_NAMES_H
#define DLW_TELL_THREAD_NAMES_H

#include "interpose/order/join_order.h"
#include "report/emit/journal/journal.h"

/* True when the thread was known by another name. Out of memory forgets it. */
bool dlw_thread_names_note_locked(const struct dlw_ended *facts);
bool dlw_thread_names_find_locked(uint32_t id, struct dlw_journal_thread *out);
/* Has the table doubled since the last sweep? */
bool dlw_thread_names_is_due_locked(void);
/* The next sweep keeps this thread. */
void dlw_thread_names_keep_locked(uint32_t id);
/* Drops the threads that were in the table at the last sweep already, that nobody kept since, and
 * that no evidence names. Called with the graph lock held too. */
void dlw_thread_names_sweep_locked(void);

/* Facts of a live thread; what it is called is asked of /proc, since it may have named itself
 * through prctl. Needs no lock. */
void dlw_thread_names_read(const struct dlw_thread *thread, struct dlw_ended *out);

#endif
