/*
 * Condition waits: the mutex is given up and taken back inside libc, so its entry goes before the
 * call and comes back after it, also when the wait is cancelled.
 */
#include "interpose/learn.h"
#include "interpose/misuse.h"
#include "interpose/mutex.h"
#include "interpose/real.h"
#include "interpose/stall.h"
#include "interpose/wait.h"

#include <errno.h>

struct sleep {
    struct dlw_thread *self;
    pthread_mutex_t *mutex;
    struct dlw_call call;
    struct dlw_held_lock kept;
    bool was_held;
};

static void begin(struct sleep *sleep, pthread_cond_t *condition, bool timed)
{
    struct dlw_lock_ref ref = dlw_mutex_ref(sleep->mutex);
    struct dlw_wait_for wait = {.on = (uintptr_t)condition,
                                .kind = DLW_WAIT_CONDITION,
                                .lock_kind = DLW_LOCK_CONDITION,
                                .mode = DLW_EXCLUSIVE,
                                .timed = timed,
                                .relocks = (uintptr_t)sleep->mutex,
                                .call = sleep->call};

    sleep->self->calls++;
    sleep->was_held = dlw_mutex_given_up(sleep->self, sleep->mutex, &sleep->kept);
    if (!sleep->was_held)
        dlw_misuse_wait_without(sleep->self, &ref, &sleep->call);
    dlw_wait_begin(sleep->self, &wait);
}

/* Runs on return and on cancellation alike: libc has taken the mutex back in both cases. */
static void end(void *argument)
{
    struct sleep *sleep = argument;

    dlw_wait_end(sleep->self);
    if (sleep->was_held)
        dlw_mutex_had_again(sleep->self, sleep->mutex, &sleep->kept, sleep->call);
}

/*
 * Nobody else is awake: waits with a limit first, to look again. When the limit passes and any
 * thread has moved meanwhile, a signal may have been meant for this wait while it wasn't one: the
 * program is told that it was woken (as POSIX allows at any time), for it looks at its condition
 * then. When nobody moved, nobody signalled.
 */
static int watched_wait(struct sleep *sleep, pthread_cond_t *condition)
{
    struct timespec deadline = dlw_stall_deadline();
    uint64_t motion = dlw_stall_motion(sleep->self);
    int result = real.pthread_cond_clockwait(condition, sleep->mutex, CLOCK_MONOTONIC, &deadline);

    if (result != ETIMEDOUT)
        return result;
    if (!motion || dlw_stall_has_moved(sleep->self, motion))
        return 0;
    dlw_stall_look(sleep->self, false);
    if (dlw_stall_has_moved(sleep->self, motion))
        return 0;
    return real.pthread_cond_wait(condition, sleep->mutex);
}

DLW_EXPORT int pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex)
{
    struct sleep sleep = {.self = dlw_thread_self(), .mutex = mutex, .call = DLW_CALL_HERE()};
    int result;

    if (dlw_thread_passes(sleep.self))
        return real.pthread_cond_wait(condition, mutex);
    begin(&sleep, condition, false);
    pthread_cleanup_push(end, &sleep);
    result = dlw_stall_suspected(sleep.self) ? watched_wait(&sleep, condition)
                                             : real.pthread_cond_wait(condition, mutex);
    pthread_cleanup_pop(1);
    return result;
}

DLW_EXPORT int pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex,
                                      const struct timespec *limit)
{
    struct sleep sleep = {.self = dlw_thread_self(), .mutex = mutex, .call = DLW_CALL_HERE()};
    int result;

    if (dlw_thread_passes(sleep.self))
        return real.pthread_cond_timedwait(condition, mutex, limit);
    begin(&sleep, condition, true);
    pthread_cleanup_push(end, &sleep);
    result = real.pthread_cond_timedwait(condition, mutex, limit);
    pthread_cleanup_pop(1);
    return result;
}

DLW_EXPORT int pthread_cond_clockwait(pthread_cond_t *condition, pthread_mutex_t *mutex,
                                      clockid_t clock, const struct timespec *limit)
{
    struct sleep sleep = {.self = dlw_thread_self(), .mutex = mutex, .call = DLW_CALL_HERE()};
    int result;

    if (dlw_thread_passes(sleep.self))
        return real.pthread_cond_clockwait(condition, mutex, clock, limit);
    begin(&sleep, condition, true);
    pthread_cleanup_push(end, &sleep);
    result = real.pthread_cond_clockwait(condition, mutex, clock, limit);
    pthread_cleanup_pop(1);
    return result;
}

/* C11's names: the objects are the same (glibc nptl/thrd_priv.h). */
DLW_EXPORT int cnd_wait(cnd_t *condition, mtx_t *mutex)
{
    struct sleep sleep = {
        .self = dlw_thread_self(), .mutex = (pthread_mutex_t *)mutex, .call = DLW_CALL_HERE()};
    int result;

    if (dlw_thread_passes(sleep.self))
        return real.cnd_wait(condition, mutex);
    begin(&sleep, (pthread_cond_t *)condition, false);
    pthread_cleanup_push(end, &sleep);
    result = dlw_stall_suspected(sleep.self)
                 ? (watched_wait(&sleep, (pthread_cond_t *)condition) ? thrd_error : thrd_success)
                 : real.cnd_wait(condition, mutex);
    pthread_cleanup_pop(1);
    return result;
}

DLW_EXPORT int cnd_timedwait(cnd_t *restrict condition, mtx_t *restrict mutex,
                             const struct timespec *restrict limit)
{
    struct sleep sleep = {
        .self = dlw_thread_self(), .mutex = (pthread_mutex_t *)mutex, .call = DLW_CALL_HERE()};
    int result;

    if (dlw_thread_passes(sleep.self))
        return real.cnd_timedwait(condition, mutex, limit);
    begin(&sleep, (pthread_cond_t *)condition, true);
    pthread_cleanup_push(end, &sleep);
    result = real.cnd_timedwait(condition, mutex, limit);
    pthread_cleanup_pop(1);
    return result;
}
