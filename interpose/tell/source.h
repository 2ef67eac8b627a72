/*
 * What a line of the journal refers to, as the journal's writer asks for it (struct
 * dlw_journal_source): modules, stacks, threads, and the locks of what is being written.
 */
#ifndef DLW_TELL_SOURCE_H
#define DLW_TELL_SOURCE_H

#include "interpose/tell/pending.h"
#include "report/emit/journal/journal.h"

/* Parallel to pending->facts: what had to be looked up under other locks. */
struct dlw_resolved {
    uint32_t created, module;
};

extern const struct dlw_journal_source dlw_source;

/* Before the emit lock is taken: stacks have a lower rank. NULL: there was no memory for it. */
void dlw_source_resolve(const struct dlw_pending *pending, struct dlw_resolved *out);
/* Both under the emit lock. `resolved` NULL: the locks are told without what is known of them. */
void dlw_source_begin_locked(const struct dlw_pending *pending,
                             const struct dlw_resolved *resolved);
void dlw_source_end_locked(void);

#endif
