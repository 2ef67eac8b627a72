/*
 * Where findings go: the journal at once, the readable block through the command, what follows a
 * deadlock. The only module that writes.
 *
 * Called with no internal lock held and the caller's guard up.
 */
#ifndef DLW_TELL_REPORTER_H
#define DLW_TELL_REPORTER_H

#include "interpose/order/join_order.h"
#include "interpose/tell/pending.h"
#include "interpose/threads/record.h"

/* Writes and frees the news. Does not return when a deadlock ends the process (on_deadlock). */
void dlw_report_pending(struct dlw_thread *self, struct dlw_pending *pending);
/* Puts buffered edges on the file if a second has passed, or at once. */
void dlw_report_flush(bool now);
/* What the journal says of a thread, kept beyond its end. By the thread itself, or of one that is
 * blocked. */
void dlw_report_know_thread(const struct dlw_thread *thread);
/* The same, by the thread itself and once: before anything that it leaves behind can be told. */
void dlw_report_introduce(struct dlw_thread *self);
/* Counts an edge for the totals. True when there is a journal to write it to. */
bool dlw_report_counts_edge(void);
/* A number for a finding that is written as withheld; 0: there is no journal to write it to. */
uint32_t dlw_report_new_id(void);
/* What was withheld under this number is not so, or is told. */
void dlw_report_void(uint32_t id);
/* The lock is, or is about to become, that. */
void dlw_report_trait(struct dlw_thread *self, const struct dlw_lock_ref *ref,
                      enum dlw_journal_trait trait);
/* The same for a thread that has ended. */
void dlw_report_know_ended(const struct dlw_ended *ended);
void dlw_report_renamed(const struct dlw_thread *thread);

void dlw_report_warn(const char *line);
/* How often a known deadlock was avoided, so far: journal, and from now on the totals. */
void dlw_report_avoided(const struct dlw_journal_avoided *avoided);
/* A line for the log and for the journal, where the summary finds it: pieces as of dlw_say(). */
void dlw_report_note(const char *piece, ...) __attribute__((sentinel));
/* Called before the end is written: whoever has something to tell still. NULL: nobody. */
extern void (*dlw_report_before_end)(void);
void dlw_report_off(const char *reason);
/* The same, and the last that is written: whoever comes later finds nothing to do. */
void dlw_report_confine(const char *reason);
void dlw_report_exec(void);
/* The process is about to change its root folder: its journal is made while it can be. */
void dlw_report_changes_root(void);
/* A program that this process, or a child of its, starts runs unwatched; `why` lasts. */
void dlw_report_unwatched(const char *exe, const char *why);
/* In the constructor: this process is left alone, `why` lasts. It is told once it makes a thread.
 */
void dlw_report_leaves_alone(const char *why);
void dlw_report_makes_thread(void);
/* The process ends: writes the end line, waits for helpers. `status` negative: not known. */
void dlw_report_end(const char *ended, int status);
/* The same for an end that may not come, since the program can go on: then another one is told. */
void dlw_report_may_end(const char *ended, int status);
/* The end of a process of which no more than what it starts is told. */
void dlw_report_closes(const char *ended, int status);
bool dlw_report_found_errors(void);

/* `run`: the id of the `dlwatch run` above, NULL: none. */
void dlw_report_start(const char *exe, const char *folder, const char *const *argv,
                      const char *run);
bool dlw_report_before_fork(void);
void dlw_report_after_fork(bool child);

#endif
