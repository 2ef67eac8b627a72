/*
 * What condition waits and C11 locks share with the mutex wrappers.
 */
#ifndef DLW_WRAP_MUTEX_H
#define DLW_WRAP_MUTEX_H

#include "interpose/base/platform.h"
#include "interpose/locks/identity.h"
#include "interpose/threads/record.h"

/* Bodies of the wrappers, for C11's names of the same. `from` is the frame of the wrapper
 * that the program called. */
int dlw_mutex_lock(pthread_mutex_t *mutex, const struct dlw_frame *from);
int dlw_mutex_timedlock(pthread_mutex_t *mutex, const struct timespec *limit,
                        const struct dlw_frame *from);
int dlw_mutex_trylock(pthread_mutex_t *mutex, const struct dlw_frame *from);
int dlw_mutex_unlock(pthread_mutex_t *mutex, const struct dlw_frame *from);

/* A condition wait gives up the mutex and takes it back: its entry on the held stack goes and
 * returns. The first returns false when the mutex was not held. */
bool dlw_mutex_given_up(struct dlw_thread *self, pthread_mutex_t *mutex, struct dlw_call call);
void dlw_mutex_had_again(struct dlw_thread *self, pthread_mutex_t *mutex, struct dlw_call call);

#endif
