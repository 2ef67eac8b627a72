/*
 * Stalls: every thread of the process waits, without limit, and nothing is left that could wake
 * one.
 *
 * The thread that falls asleep last, or ends last, sets an alarm (alarm.h): after stall_after
 * seconds a sleeping thread looks around, while its wait goes on as the program began it. Which
 * thread is asked is a matter of who would notice least (motion.h); so that a process whose threads
 * hand on a turn sets no alarm each time, one is enough for all.
 *
 * No alarm is needed where a wake-up is under way for certain, as when threads hand a turn on: the
 * caller has signalled a condition under the mutex that a waiter gave up for it, and no wait has
 * begun since; or it gives up the mutex that another waits for; or a round at a barrier is over.
 * Whoever is woken so enters a later wait, or ends.
 *
 * A deadlock over semaphores is looked for here too: its proof needs that everyone else is asleep.
 */
#ifndef DLW_WATCH_STALL_H
#define DLW_WATCH_STALL_H

#include "interpose/threads/record.h"

void dlw_stall_start(void);

/* The calling thread has published a wait without limit and is about to sleep. Reports what it can
 * prove at once, and sees to it that somebody looks later. */
void dlw_stall_watch(struct dlw_thread *self);
/* Called by a thread that has ended, after its record was released. */
void dlw_stall_thread_ended(void);

void dlw_stall_after_fork(struct dlw_thread *self);

#endif
