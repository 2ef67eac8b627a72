#include "interpose/watch/quiescence.h"

#include "graph/base/sys.h"
#include "interpose/base/ability.h"
#include "interpose/base/proc.h"
#include "interpose/python/gils.h"
#include "interpose/threads/alarm.h"
#include "interpose/watch/live_view.h"
#include "interpose/watch/motion.h"

#include <time.h>

struct sleepers {
    struct dlw_thread *self;
    bool is_first; /* of two looks */
    bool all;
    uint64_t motion;
};

/*
 * In a wait for this thread's end glibc sleeps on the tid in its descriptor, which the handle
 * points to; in a condition wait, when the signal has come, on the mutex; else on the object.
 */
static bool is_futex_of(const struct dlw_thread *thread, uintptr_t futex)
{
    enum { LARGEST_OBJECT = 64, DESCRIPTOR = 4096 };
    uintptr_t on = atomic_load_explicit(&thread->wait.on, memory_order_relaxed);
    uintptr_t mutex = atomic_load_explicit(&thread->wait.relocks, memory_order_relaxed);
    uint8_t kind = atomic_load_explicit(&thread->wait.kind, memory_order_relaxed);

    size_t size = kind == DLW_WAIT_JOIN  ? DESCRIPTOR
                  : kind == DLW_WAIT_GIL ? DLW_GIL_SWITCH_MUTEX
                                         : LARGEST_OBJECT;

    return futex - on < size || (mutex && futex - mutex < LARGEST_OBJECT);
}

/* Another process may release what lies in shared memory, and the thread that waits for it could
 * then wake others in this process. */
static bool can_be_woken_from_outside(const struct dlw_thread *thread)
{
    return atomic_load_explicit(&thread->wait.kind, memory_order_relaxed) != DLW_WAIT_JOIN &&
           dlw_proc_is_shared(atomic_load_explicit(&thread->wait.on, memory_order_relaxed));
}

bool dlw_quiescence_sleeps(const struct dlw_thread *thread)
{
    uint64_t sequence = atomic_load_explicit(&thread->wait.sequence, memory_order_seq_cst);
    uint8_t kind = atomic_load_explicit(&thread->wait.kind, memory_order_relaxed);
    uint32_t tid = atomic_load_explicit(&thread->tid, memory_order_relaxed);

    if (!(sequence & 1))
        return false;
    /* Who waits for a GIL naps: a free one he takes at the end of his nap, though no signal came.
     */
    if (kind == DLW_WAIT_GIL &&
        !dlw_gil_is_taken(atomic_load_explicit(&thread->wait.on, memory_order_relaxed)))
        return false;
    return kind == DLW_WAIT_SPIN ? dlw_view_spins_in_vain(thread)
                                 : is_futex_of(thread, dlw_proc_futex(tid));
}

/*
 * A woken thread has not said so until it runs: its wait still reads as published. The kernel knows
 * better: it shows the futex of a thread that sleeps on one, and nothing of one that is about to
 * run. Another futex than that of its wait is one of our own locks, before or behind the wait.
 */
static bool visit_sleeper(void *context, struct dlw_thread *thread)
{
    struct sleepers *sleepers = context;
    uint64_t sequence = atomic_load_explicit(&thread->wait.sequence, memory_order_seq_cst);

    sleepers->motion = sleepers->motion * 31 + sequence + thread->id;
    if (sleepers->is_first && can_be_woken_from_outside(thread)) {
        sleepers->all = false;
        return false;
    }
    if (thread == sleepers->self)
        return true;
    if (dlw_quiescence_sleeps(thread))
        return true;
    sleepers->all = false;
    return false;
}

/* The caller itself: asleep until its alarm rang and left so, or about to fall asleep. */
static bool is_asleep_itself(struct dlw_thread *self)
{
    if (self->slept_on.address)
        return is_futex_of(self, self->slept_on.address) && dlw_alarm_still_sleeps(self);
    return dlw_view_is_blocked(self) && dlw_view_lets_nobody_go(self);
}

/*
 * Two looks that see the same prove that nobody moved in between, so nobody was awake. The caller
 * looks at itself last: with everybody else asleep its own state can't change any more.
 */
bool dlw_quiescence_is_proved(struct dlw_thread *self)
{
    struct sleepers before = {.self = self, .is_first = true, .all = true};
    struct sleepers after = {.self = self, .all = true};

    dlw_threads_each(visit_sleeper, &before);
    if (!before.all)
        return false;
    dlw_threads_each(visit_sleeper, &after);
    return after.all && before.motion == after.motion &&
           dlw_proc_tasks() == (long)dlw_threads_alive() && is_asleep_itself(self);
}

/* Those that have published their wait may be on their way to sleep: some milliseconds for them. */
bool dlw_quiescence_comes_soon(struct dlw_thread *self)
{
    struct timespec slice = {0, 500000};
    struct dlw_motion motion = dlw_motion_scan(self);

    for (int tries = 0; motion.all && tries < 10; tries++) {
        bool asleep = dlw_quiescence_is_proved(self);
        if (!dlw_motion_is_none(self, motion.sum))
            return false;
        if (asleep)
            return true;
        dlw_syscall(SYS_nanosleep, &slice, NULL);
    }
    if (motion.all) { /* all say that they sleep, and that is not to be seen */
        const char *why = dlw_proc_hides_sleepers();
        if (why)
            dlw_ability_lacks(DLW_ABILITY_SLEEPERS, why);
    }
    return false;
}
