/*
 * Locks that a thread held when it created another, and still holds: they order as well.
 *
 * The creator holds L over the create. Until it lets go of L the child can't have L; so what the
 * child does once it has had L comes after all that the creator did in this hold. Only a completed,
 * blocking taking of L tells that (a try or a wait with a limit goes on without it), and only one
 * with nothing else held (outermost.h): what the child held before, it held while it waited. A wait
 * for a condition gives L up, and ends the hold.
 *
 * The hold is a span, shared by the creator and its children. Under it the creator's keys differ
 * from those of later holds of the same locks, so that these are asked about again. Both sides
 * are looked at when a question comes to the order graph, and nothing is paid elsewhere: the
 * creator's segment ends at its first question after the hold, the child's follows the span at its
 * first question after its taking.
 *
 * All with the graph lock held, but where it says so.
 */
#ifndef DLW_ORDER_SPAN_H
#define DLW_ORDER_SPAN_H

#include "interpose/threads/record.h"

struct dlw_span; /* opaque: counted references */

/* `self` is about to create `child`. The lock objects are looked at: all of them are held. */
void dlw_spans_begin_locked(struct dlw_thread *self, struct dlw_thread *child);
/* True when a span of `self` is over: its present segment must end. */
bool dlw_spans_are_over_locked(struct dlw_thread *self);
/* `self` is in another segment now: so are the spans that last. */
void dlw_spans_follow_locked(struct dlw_thread *self);
/* A segment that what `self` does from here on comes after, with a reference; 0: none (more). */
dlw_segment dlw_span_passed_locked(struct dlw_thread *self);
/* At the thread's end, or when it was not created after all. Takes the graph lock where needed. */
void dlw_spans_drop(struct dlw_thread *self);

#endif
