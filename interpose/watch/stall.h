/*
 * Stalls: every thread of the process waits, without limit, and nothing is left that could wake
 * one.
 *
 * The thread that enters the last wait watches: instead of sleeping for ever it sleeps for 20 ms
 * and then until stall_after seconds have passed, in the timed form of the same call where there is
 * one, and looks again each time. Most such moments pass at once (a woken thread has not said so
 * yet), so what comes before the sleep must be cheap: one load of a thread seen running last time,
 * or one visit of all. Only a thread that holds something, and so may close a cycle by this very
 * wait, looks at once.
 *
 * No watch is needed where a wake-up is under way for certain, as when threads hand a turn on: the
 * caller has signalled a condition under the mutex that a waiter gave up for it, and no wait has
 * begun since; or it gives up the mutex that another waits for. Whoever is woken so enters a later
 * wait, or ends.
 *
 * A deadlock over semaphores is looked for here too: its proof needs that everyone else is asleep.
 */
#ifndef DLW_WATCH_STALL_H
#define DLW_WATCH_STALL_H

#include "interpose/threads/record.h"

#include <stdbool.h>
#include <time.h>

/* Waits begun so far, by all threads. */
extern _Atomic uint64_t dlw_waits_begun;

/* A condition is about to be signalled. */
void dlw_stall_signals(struct dlw_thread *self, const void *condition);

/* Does every other thread wait without limit right now? This thread's own wait is published. */
bool dlw_stall_suspected(struct dlw_thread *self);
/* Until when the caller is to wait before it looks, for the timed form of its call
 * (CLOCK_MONOTONIC). */
struct timespec dlw_stall_deadline(struct dlw_thread *self);
/* Looks closely, and reports what it can prove. True: the caller shall look again. */
bool dlw_stall_look(struct dlw_thread *self);
/* Has any other thread moved since the suspicion arose? */
bool dlw_stall_has_moved(struct dlw_thread *self, uint64_t then);
uint64_t dlw_stall_motion(struct dlw_thread *self);

/* For calls without a timed form: watches before the call, in slices that start small, until
 * somebody moves. */
void dlw_stall_watch(struct dlw_thread *self);

#endif
