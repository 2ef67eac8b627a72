/*
 * One mistake in the code is one finding, however many objects and threads show it: it is known
 * again by its kind, its verdict and its code places. Guarded by the reporter's lock, but for the
 * numbers.
 */
#ifndef DLW_TELL_MISTAKES_H
#define DLW_TELL_MISTAKES_H

#include "report/emit/journal/journal.h"

/* A number for a finding. */
uint32_t dlw_mistake_new_id(void);
/* The finding's number; 0: it was told before, which the journal counts, or memory is out. */
uint32_t dlw_mistake_note_locked(struct dlw_journal *journal, const struct dlw_finding *finding);
/* Writes the counts that were not written yet. */
void dlw_mistakes_end_locked(struct dlw_journal *journal);
void dlw_mistakes_after_fork(void);

#endif
