/*
 * Lock-order inversions with a semaphore in them, kept back until it has shown itself to be a lock.
 *
 * A semaphore is a lock only as far as those post it who waited for it. What the asker, who closes
 * the cycle, holds and wants was posted by its neighbours in the cycle, or it would not get the
 * unit; and by themselves, or it would be a signal. Whether the asker posts it as well is still to
 * be seen. So the finding waits for that, and is dropped when one of the cycle's locks turns out to
 * be a signal, goes, or was not had (a wait that ran out). Semaphores further off in a long cycle
 * are believed. A deadlock needs none of this: it is proved by who sleeps (quiescence.h).
 *
 * The journal has it at once, as withheld, and a void line when it is told or dropped: of a process
 * that is killed in between, the reader tells it.
 */
#ifndef DLW_ORDER_DEFERRED_H
#define DLW_ORDER_DEFERRED_H

#include "graph/finding.h"
#include "interpose/tell/pending.h"
#include "interpose/threads/record.h"

#include <semaphore.h>

/* Takes a copy where the thread, which asks now, has a semaphore in this cycle; what is to be
 * written at once goes to `pending`. False: to be told at once. Called with the graph lock held. */
bool dlw_deferred_takes_locked(struct dlw_thread *self, const struct dlw_finding *finding,
                               struct dlw_pending *pending);

/* The thread is about to post this, and has taken it off its held stack. What is returned is to be
 * told after the post. Both cold, with the guard up and no lock held. */
struct dlw_deferred *dlw_deferred_posts(struct dlw_thread *self, const sem_t *semaphore);
void dlw_deferred_tell(struct dlw_thread *self, struct dlw_deferred *ripe);

/* The semaphore is about to be posted by a thread that does not hold it, or to die: whatever it
 * stands in is void, whichever thread waits with it. Cold, with the guard up and no lock held. */
void dlw_deferred_loses(const sem_t *semaphore);
/* The thread's wait for it ran out. */
void dlw_deferred_gave_up(struct dlw_thread *self, const sem_t *semaphore);

/* At its end: what it has not posted by then it never will. */
void dlw_deferred_drop_all(struct dlw_thread *self);
/* In a forked child, whose journal has none of them yet. */
void dlw_deferred_after_fork(void);

#endif
