/*
 * What condition waits and C11 locks share with the mutex wrappers.
 */
#ifndef DLW_WRAP_MUTEX_H
#define DLW_WRAP_MUTEX_H

#include "interpose/base/platform.h"
#include "interpose/locks/identity.h"
#include "interpose/threads/record.h"

struct dlw_lock_ref dlw_mutex_ref(pthread_mutex_t *mutex);
struct dlw_lock_ref dlw_rwlock_ref(pthread_rwlock_t *rwlock);
struct dlw_lock_ref dlw_semaphore_ref(sem_t *semaphore);
/* No unit is free, and it is no signal: its holders are who keeps its waiters. `seen` may be a copy
 * of what lies at `address`. */
bool dlw_semaphore_is_taken(const sem_t *seen, uintptr_t address);

/* Bodies of the wrappers, for C11's names of the same. `from` is the frame of the wrapper
 * that the program called. */
int dlw_mutex_lock(pthread_mutex_t *mutex, const struct dlw_frame *from);
int dlw_mutex_timedlock(pthread_mutex_t *mutex, const struct timespec *limit,
                        const struct dlw_frame *from);
int dlw_mutex_trylock(pthread_mutex_t *mutex, const struct dlw_frame *from);
int dlw_mutex_unlock(pthread_mutex_t *mutex, const struct dlw_frame *from);

/* The mutex is given up by a condition wait, and had again: the entry goes and comes back. Returns
 * false when it wasn't held. */
bool dlw_mutex_given_up(struct dlw_thread *self, pthread_mutex_t *mutex, struct dlw_call call);
void dlw_mutex_had_again(struct dlw_thread *self, pthread_mutex_t *mutex, struct dlw_call call);

#endif
