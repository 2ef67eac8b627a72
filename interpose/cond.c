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
    bool was_held, is_watching;
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

/* ---- while nobody else is awake ---- */

/*
 * A wait with a limit, to look again, is over before the next one begins: a signal in between finds
 * no waiter. So while any thread watches like this, signals are counted, by condition: when none
 * was sent, none was lost. Else the program is told that it was woken, as POSIX allows at any
 * time: it looks at what it waits for then.
 */
enum { CONDITIONS = 256 };
static _Atomic uint32_t n_watching;
static _Atomic uint32_t signals[CONDITIONS];

static _Atomic uint32_t *signals_of(const void *condition)
{
    return &signals[((uintptr_t)condition >> 4) * 2654435761U >> 24 & (CONDITIONS - 1)];
}

/* After the real call, so that a signal that found no waiter is counted before long. */
static inline void count_signal(const void *condition)
{
    /* Pairs with the increment in begin_watch; what is missed here is seen a round later. */
    if (__builtin_expect(atomic_load_explicit(&n_watching, memory_order_seq_cst) != 0, 0))
        atomic_fetch_add_explicit(signals_of(condition), 1, memory_order_seq_cst);
}

/* Runs on return and on cancellation alike: libc has taken the mutex back in both cases. */
static void end(void *argument)
{
    struct sleep *sleep = argument;

    if (sleep->is_watching)
        atomic_fetch_sub_explicit(&n_watching, 1, memory_order_relaxed);
    dlw_wait_end(sleep->self);
    if (sleep->was_held)
        dlw_mutex_had_again(sleep->self, sleep->mutex, &sleep->kept, sleep->call);
}

static void begin_watch(struct sleep *sleep)
{
    sleep->is_watching = true;
    atomic_fetch_add_explicit(&n_watching, 1, memory_order_seq_cst);
}

static int watched_wait(struct sleep *sleep, pthread_cond_t *condition)
{
    _Atomic uint32_t *sent = signals_of(condition);

    begin_watch(sleep);
    uint32_t before = atomic_load_explicit(sent, memory_order_seq_cst);
    for (;;) {
        struct timespec deadline = dlw_stall_deadline(sleep->self);
        int result =
            real.pthread_cond_clockwait(condition, sleep->mutex, CLOCK_MONOTONIC, &deadline);
        if (result != ETIMEDOUT)
            return result;
        dlw_stall_look(sleep->self);
        if (atomic_load_explicit(sent, memory_order_seq_cst) != before)
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

DLW_EXPORT int pthread_cond_signal(pthread_cond_t *condition)
{
    dlw_thread_self(); /* it may be the first call of all */
    int result = real.pthread_cond_signal(condition);

    count_signal(condition);
    return result;
}

DLW_EXPORT int pthread_cond_broadcast(pthread_cond_t *condition)
{
    dlw_thread_self();
    int result = real.pthread_cond_broadcast(condition);

    count_signal(condition);
    return result;
}

DLW_EXPORT int cnd_signal(cnd_t *condition)
{
    dlw_thread_self();
    int result = real.cnd_signal(condition);

    count_signal(condition);
    return result;
}

DLW_EXPORT int cnd_broadcast(cnd_t *condition)
{
    dlw_thread_self();
    int result = real.cnd_broadcast(condition);

    count_signal(condition);
    return result;
}
