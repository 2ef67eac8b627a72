/*
 * Condition waits: the mutex is given up and taken back inside libc, so its entry goes before the
 * call and comes back after it, also when the wait is cancelled.
 */
#include "interpose/wrap/cond.h"
#include "interpose/locks/ownership.h"
#include "interpose/locks/ref.h"

#include "interpose/base/real.h"
#include "interpose/order/validate.h"
#include "interpose/python/runtime.h"
#include "interpose/threads/held.h"
#include "interpose/watch/gil.h"
#include "interpose/watch/last_signal.h"
#include "interpose/watch/misuse.h"
#include "interpose/watch/motion.h"
#include "interpose/watch/wait.h"
#include "interpose/wrap/mutex.h"

#include <errno.h>

struct sleep {
    struct dlw_thread *self;
    pthread_mutex_t *mutex;
    struct dlw_call call;
};

static void begin(const struct sleep *sleep, pthread_cond_t *condition, bool timed)
{
    struct dlw_thread *self = sleep->self;
    struct dlw_wait_for wait = {.on = (uintptr_t)condition,
                                .kind = DLW_WAIT_CONDITION,
                                .lock_kind = DLW_LOCK_CONDITION,
                                .mode = DLW_EXCLUSIVE,
                                .timed = timed,
                                .relocks = (uintptr_t)sleep->mutex,
                                .call = sleep->call};

    self->calls++;
    self->gave_up = dlw_mutex_given_up(self, sleep->mutex, sleep->call);
    if (!self->gave_up) {
        struct dlw_lock_ref ref = dlw_mutex_ref(sleep->mutex);
        dlw_misuse_wait_without(self, &ref, &sleep->call);
    }
    dlw_wait_begin(self, &wait);
}

static void end(const struct sleep *sleep, const void *condition)
{
    struct dlw_thread *self = sleep->self;

    dlw_wait_end(self);
    if (self->gave_up)
        dlw_mutex_had_again(self, sleep->mutex, sleep->call);
    self->gave_up = false;
    self->woken.mutex = (uintptr_t)sleep->mutex;
    self->woken.condition = (uintptr_t)condition;
    self->woken.pc = sleep->call.pc;
}

/* If the wait was left by longjmp the mutex was not taken back: its own word shows that. */
void dlw_cond_left(struct dlw_thread *self, uintptr_t mutex, struct dlw_call call)
{
    struct dlw_held_lock held = {.lock = mutex, .kind = DLW_LOCK_MUTEX};

    if (self->gave_up && dlw_held_is_owned(self, &held))
        dlw_mutex_had_again(self, (pthread_mutex_t *)mutex, call); /* NOLINT */
    self->gave_up = false;
}

DLW_EXPORT int pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex)
{
    struct sleep sleep = {.self = dlw_thread_self(), .mutex = mutex, .call = DLW_CALL_HERE()};
    int result;

    if (dlw_thread_passes(sleep.self))
        return real.pthread_cond_wait(condition, mutex);
    begin(&sleep, condition, false);
    result = real.pthread_cond_wait(condition, mutex);
    end(&sleep, condition);
    return result;
}

DLW_EXPORT int pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex,
                                      const struct timespec *limit)
{
    struct sleep sleep = {.self = dlw_thread_self(), .mutex = mutex, .call = DLW_CALL_HERE()};
    int result;

    if (dlw_thread_passes(sleep.self))
        return real.pthread_cond_timedwait(condition, mutex, limit);
    if (dlw_python_is_code(sleep.call.pc) && dlw_gil_is_waited_for(sleep.self, condition, mutex)) {
        dlw_gil_slice_begins(sleep.self, mutex, sleep.call);
        result = real.pthread_cond_timedwait(condition, mutex, limit);
        dlw_gil_slice_ends(sleep.self, mutex);
        return result;
    }
    begin(&sleep, condition, true);
    result = real.pthread_cond_timedwait(condition, mutex, limit);
    end(&sleep, condition);
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
    result = real.pthread_cond_clockwait(condition, mutex, clock, limit);
    end(&sleep, condition);
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
    result = real.cnd_wait(condition, mutex);
    end(&sleep, condition);
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
    result = real.cnd_timedwait(condition, mutex, limit);
    end(&sleep, condition);
    return result;
}

/* This may be the first wrapped call of the process. */
static inline void signals(const void *condition, const void *pc)
{
    struct dlw_thread *self = dlw_thread_self();

    if (dlw_thread_passes(self))
        return;
    dlw_motion_signals(self, condition);
    dlw_last_signal_note(self, condition, (uintptr_t)pc);
    if (dlw_held_depth(self))
        dlw_outermost_signals(self, condition);
}

static DLW_COLD bool is_of_gil_slow(pthread_cond_t *condition, uintptr_t pc)
{
    return dlw_python_is_code(pc) && !dlw_thread_passes(dlw_thread_self()) &&
           dlw_gil_is_signalled_slow(dlw_thread_self(), condition);
}

DLW_EXPORT int pthread_cond_signal(pthread_cond_t *condition)
{
    const void *pc = (const void *)DLW_CALLER_HERE(); /* NOLINT(performance-no-int-to-ptr) */

    /* Who waits for a GIL is no sleeper on a condition. */
    if (!dlw_python() ||
        (!dlw_gil_has_condition(condition) && !is_of_gil_slow(condition, (uintptr_t)pc)))
        signals(condition, pc);
    return real.pthread_cond_signal(condition);
}

DLW_EXPORT int pthread_cond_broadcast(pthread_cond_t *condition)
{
    signals(condition, (const void *)DLW_CALLER_HERE()); /* NOLINT(performance-no-int-to-ptr) */
    return real.pthread_cond_broadcast(condition);
}

DLW_EXPORT int cnd_signal(cnd_t *condition)
{
    signals(condition, (const void *)DLW_CALLER_HERE()); /* NOLINT(performance-no-int-to-ptr) */
    return real.cnd_signal(condition);
}

DLW_EXPORT int cnd_broadcast(cnd_t *condition)
{
    signals(condition, (const void *)DLW_CALLER_HERE()); /* NOLINT(performance-no-int-to-ptr) */
    return real.cnd_broadcast(condition);
}

/* ---- the end of a condition ---- */

DLW_EXPORT int pthread_cond_destroy(pthread_cond_t *condition)
{
    struct dlw_thread *self = dlw_thread_self();
    struct dlw_lock_ref ref = dlw_lock_ref_at((uintptr_t)condition, DLW_LOCK_CONDITION);
    struct dlw_call call = DLW_CALL_HERE();

    dlw_last_signal_forget(condition);
    if (dlw_thread_passes(self) || dlw_condition_waiters(condition) == 0)
        return real.pthread_cond_destroy(condition);
    dlw_misuse_destroy_begin(self, &ref, &call);
    int result = real.pthread_cond_destroy(condition);
    dlw_wait_end(self);
    return result;
}

DLW_EXPORT void cnd_destroy(cnd_t *condition)
{
    struct dlw_thread *self = dlw_thread_self();
    struct dlw_lock_ref ref = dlw_lock_ref_at((uintptr_t)condition, DLW_LOCK_CONDITION);
    struct dlw_call call = DLW_CALL_HERE();

    dlw_last_signal_forget(condition);
    if (dlw_thread_passes(self) || dlw_condition_waiters((pthread_cond_t *)condition) == 0) {
        real.cnd_destroy(condition);
        return;
    }
    dlw_misuse_destroy_begin(self, &ref, &call);
    real.cnd_destroy(condition);
    dlw_wait_end(self);
}
