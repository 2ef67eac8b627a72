/*
 * Condition waits: the mutex is given up and taken back inside libc, so its entry goes before the
 * call and comes back after it, also when the wait is cancelled.
 */
#include "interpose/wrap/cond.h"
#include "interpose/locks/ownership.h"
#include "interpose/locks/ref.h"

#include "interpose/base/real.h"
#include "interpose/order/validate.h"
#include "interpose/threads/held.h"
#include "interpose/watch/misuse.h"
#include "interpose/watch/stall.h"
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

/* ---- while nobody else is awake ---- */

/*
 * A wait with a limit, to look again, is over before the next one begins: a signal in between finds
 * no waiter. So while any thread watches like this, the last signal's time is noted, by condition:
 * when none was sent since the first limit passed, none was lost. Else the program is told that it
 * was woken, as POSIX allows at any time: it looks at what it waits for then.
 */
enum { CONDITIONS = 256 };
static _Atomic uint32_t n_watching;
static _Atomic uint64_t signalled_at[CONDITIONS]; /* ns, dlw_now() */

static _Atomic uint64_t *last_signal_of(const void *condition)
{
    return &signalled_at[((uintptr_t)condition >> 4) * 2654435761U >> 24 & (CONDITIONS - 1)];
}

/* After the real call: what found no waiter is noted before long, and no earlier than it was sent.
 */
static inline void note_signal(const void *condition)
{
    /* Pairs with the increment in begin_watch; what is missed here is seen a round later. */
    if (__builtin_expect(atomic_load_explicit(&n_watching, memory_order_seq_cst) != 0, 0))
        atomic_store_explicit(last_signal_of(condition), dlw_now(), memory_order_seq_cst);
}

static void end_watch(struct dlw_thread *self)
{
    if (self->is_watching)
        atomic_fetch_sub_explicit(&n_watching, 1, memory_order_relaxed);
    self->is_watching = false;
}

static void end(const struct sleep *sleep)
{
    struct dlw_thread *self = sleep->self;

    end_watch(self);
    dlw_wait_end(self);
    if (self->gave_up)
        dlw_mutex_had_again(self, sleep->mutex, sleep->call);
    self->gave_up = false;
}

/* By longjmp the mutex was not taken back: its own word tells. */
void dlw_cond_left(struct dlw_thread *self, uintptr_t mutex, struct dlw_call call)
{
    struct dlw_held_lock held = {.lock = mutex, .kind = DLW_LOCK_MUTEX};

    end_watch(self);
    if (self->gave_up && dlw_held_is_owned(self, &held))
        dlw_mutex_had_again(self, (pthread_mutex_t *)mutex, call); /* NOLINT */
    self->gave_up = false;
}

static void begin_watch(const struct sleep *sleep)
{
    sleep->self->is_watching = true;
    atomic_fetch_add_explicit(&n_watching, 1, memory_order_seq_cst);
}

static int watched_wait(const struct sleep *sleep, pthread_cond_t *condition)
{
    _Atomic uint64_t *last = last_signal_of(condition);
    uint64_t first_limit = 0;

    begin_watch(sleep);
    for (;;) {
        struct timespec limit = dlw_stall_deadline(sleep->self);
        if (!first_limit)
            first_limit = (uint64_t)limit.tv_sec * 1000000000U + (uint64_t)limit.tv_nsec;
        int result = real.pthread_cond_clockwait(condition, sleep->mutex, CLOCK_MONOTONIC, &limit);
        if (result != ETIMEDOUT)
            return result;
        dlw_stall_look(sleep->self);
        if (atomic_load_explicit(last, memory_order_seq_cst) >= first_limit)
            return 0;
    }
}

DLW_EXPORT int pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex)
{
    struct sleep sleep = {.self = dlw_thread_self(), .mutex = mutex, .call = DLW_CALL_HERE()};
    int result;

    if (dlw_thread_passes(sleep.self))
        return real.pthread_cond_wait(condition, mutex);
    begin(&sleep, condition, false);
    result = dlw_stall_suspected(sleep.self) ? watched_wait(&sleep, condition)
                                             : real.pthread_cond_wait(condition, mutex);
    end(&sleep);
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
    result = real.pthread_cond_timedwait(condition, mutex, limit);
    end(&sleep);
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
    end(&sleep);
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
    result = dlw_stall_suspected(sleep.self)
                 ? (watched_wait(&sleep, (pthread_cond_t *)condition) ? thrd_error : thrd_success)
                 : real.cnd_wait(condition, mutex);
    end(&sleep);
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
    end(&sleep);
    return result;
}

/* It may be the first call of all. */
static inline void signals(const void *condition)
{
    struct dlw_thread *self = dlw_thread_self();

    if (!dlw_thread_passes(self))
        dlw_stall_signals(self, condition);
}

DLW_EXPORT int pthread_cond_signal(pthread_cond_t *condition)
{
    signals(condition);
    int result = real.pthread_cond_signal(condition);

    note_signal(condition);
    return result;
}

DLW_EXPORT int pthread_cond_broadcast(pthread_cond_t *condition)
{
    signals(condition);
    int result = real.pthread_cond_broadcast(condition);

    note_signal(condition);
    return result;
}

DLW_EXPORT int cnd_signal(cnd_t *condition)
{
    signals(condition);
    int result = real.cnd_signal(condition);

    note_signal(condition);
    return result;
}

DLW_EXPORT int cnd_broadcast(cnd_t *condition)
{
    signals(condition);
    int result = real.cnd_broadcast(condition);

    note_signal(condition);
    return result;
}
