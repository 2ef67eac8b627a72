/*
 * What this process does with semaphores that other processes use too (sem_open, sem_init with
 * `shared`). Nothing is written into them, so it stands here, by address: who took the one unit,
 * and whether the semaphore has shown itself to be no lock. Whoever looks at all of the processes
 * from outside puts the answers together (report/command/inspect/across/semaphores.c); the process
 * itself concludes nothing from it, and learns no order.
 *
 * Async-signal-safe, and no lock: slots are claimed by a compare and swap, and given back when the
 * semaphore is destroyed, or when the place is wanted and its memory is there no more.
 */
#ifndef DLW_LOCKS_SHARED_SEMAPHORES_H
#define DLW_LOCKS_SHARED_SEMAPHORES_H

#include "interpose/base/platform.h"

#include <stdatomic.h>
#include <stdint.h>

/* It was made with one unit, or with another number (a pool, a signal). Not set: not seen. */
void dlw_shared_semaphore_made(const sem_t *semaphore, unsigned value);
/* The thread has taken a unit, by this call. While another of the process has it too, or the thread
 * itself, it is no lock: somebody else must have posted it. */
void dlw_shared_semaphore_taken(const sem_t *semaphore, uint32_t tid, struct dlw_call call);
/* The thread (0: one without a record) is about to post it. From one that has not taken it: no
 * lock. */
void dlw_shared_semaphore_posted(const sem_t *semaphore, uint32_t tid);
/* It was destroyed: what stands at the address next is another one. */
void dlw_shared_semaphore_gone(const sem_t *semaphore);
/* One of maybe several uses of a named one was closed: it may be gone. */
void dlw_shared_semaphore_closed(const sem_t *semaphore);
/* In a child: what was taken is its parent's. */
void dlw_shared_semaphores_after_fork(void);

#endif
