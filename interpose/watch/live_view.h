/*
 * The wait-for graph's world (graph/waits.h), read off the locks and the threads' records: who
 * waits for what, and who keeps him waiting.
 *
 * Any thread may ask about any other at any time. What moves meanwhile is told by the sequence of
 * its wait; what can't be known is answered as unknown. Called with no internal lock held.
 */
#ifndef DLW_WATCH_LIVE_VIEW_H
#define DLW_WATCH_LIVE_VIEW_H

#include "graph/waits.h"
#include "interpose/threads/record.h"

extern const struct dlw_live_view dlw_view_now;
/* The same with everybody seen asleep: then only those who hold a semaphore could post it. */
extern const struct dlw_live_view dlw_view_asleep;

/* Index in the thread's held stack, negative when it isn't there. */
int dlw_view_find_held(struct dlw_thread *thread, uintptr_t lock);
/* Is the spin lock that the thread waits for taken right now? False when it can't be read. */
bool dlw_view_spins_in_vain(const struct dlw_thread *thread);
/* Would the wait that the calling thread has published last, if it began now? What it waits for may
 * have come since it looked. Cheap; false in doubt. */
bool dlw_view_is_blocked(struct dlw_thread *self);
/* A condition wait gives up its mutex: does nobody sleep for that? Asks the kernel for each thread.
 */
bool dlw_view_lets_nobody_go(struct dlw_thread *self);

#endif
