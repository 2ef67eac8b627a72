/*
 * Life of threads, for the order by create, join and barrier (graph/life.h): each calls here before
 * it does what others come after, and after what it comes after.
 */
#ifndef DLW_ORDER_SEGMENTS_H
#define DLW_ORDER_SEGMENTS_H

#include "interpose/base/state.h"
#include "interpose/threads/held.h"

void dlw_learn_thread_starts(struct dlw_thread *record); /* by the thread itself */
/* The thread is about to create another, whose record gets its first segment, with a reference; the
 * creator's own ends. */
void dlw_learn_creates(struct dlw_thread *self, struct dlw_thread *child);
/* It is about to do something that what it did so far comes before. With the graph lock held. */
void dlw_learn_goes_out_locked(struct dlw_thread *self);
void dlw_learn_thread_ends(struct dlw_thread *self); /* gives the interned chains back */
/* It enters a scope (interned), or leaves the one it is in (NULL). With the graph lock held. */
void dlw_learn_enters_locked(struct dlw_thread *self, const char *scope);
/* What it does from here on is another segment. */
void dlw_learn_goes_on(struct dlw_thread *self);
void dlw_learn_drop_segment(dlw_segment segment);
/* Came out of a barrier round. With the graph lock held. */
void dlw_learn_passed_locked(struct dlw_thread *self, dlw_segment round);
void dlw_learn_joined(struct dlw_thread *self, dlw_segment last);
/* What ended or came to pass since the last question. With the graph lock held. */
void dlw_segments_settle_locked(struct dlw_thread *self);

#endif
