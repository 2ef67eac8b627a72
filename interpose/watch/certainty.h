/*
 * How sure is a cycle of waits? The wait-for graph proves that each thread of it waits for the
 * next. Here is what could still end one of these waits from outside the cycle, and what dlwatch
 * can know of that. On a certain deadlock `dlwatch run` ends the program.
 *
 *  - A time limit, or a cancellation under way: such a wait is no step of a cycle to begin with
 *    (dlw_thread_wait_ends()).
 *  - Another process. Of a lock in shared memory that names its owner, that owner must be a thread
 *    of this process whose record says the same. A spin lock and a lock of the program's own name
 *    none: in shared memory nothing is told of them.
 *  - A post, of a semaphore. Everybody else is seen asleep (quiescence.h), so only a signal handler
 *    could post. While a signal is caught, a cycle is certain only if each semaphore in it was
 *    posted by its takers alone so far.
 *  - A semaphore that its maker took at once and then waits for is an event, and no cycle of one:
 *    what is left is a stall, with the rules of a stall. So is one that nobody has posted yet,
 *    while a signal is caught; one of CPython's locks is possible then.
 */
#ifndef DLW_CERTAINTY_H
#define DLW_CERTAINTY_H

#include "graph/waits.h"

enum dlw_certainty { DLW_NO_DEADLOCK, DLW_POSSIBLE_DEADLOCK, DLW_CERTAIN_DEADLOCK };

/* Of a cycle that was verified. `reason`: what makes it only possible, NULL else; static text.
 * Called with the guard up and no internal lock held; asks the kernel where it must. */
enum dlw_certainty dlw_certainty_of(const struct dlw_wait_cycle *cycle, const char **reason);

#endif
