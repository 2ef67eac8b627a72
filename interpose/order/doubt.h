/*
 * Why a cycle of the lock order that was found is a warning and no error.
 *
 *  - A step is the end of a thread. Programs join under a lock once they know, from a flag or a
 *    condition under that very lock, that the thread won't take it again; that is seldom seen from
 *    outside. Where the thread signalled a condition in its last hold of the lock, and in no
 *    earlier one, and the joiner came to its hold by waiting for that condition, the finding says
 *    so: it is no proof.
 *  - It goes over a semaphore that may be no lock (locks/identity.h).
 */
#ifndef DLW_ORDER_DOUBT_H
#define DLW_ORDER_DOUBT_H

#include "graph/finding.h"
#include "interpose/threads/record.h"

/* `self` has closed the cycle. Called with the graph lock held. */
enum dlw_doubt dlw_doubt_of_locked(const struct dlw_thread *self,
                                   const struct dlw_finding *finding);

#endif
