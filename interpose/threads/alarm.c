#include "interpose/threads/alarm.h"

#include "graph/base/sys.h"
#include "interpose/base/ability.h"
#include "interpose/base/proc.h"
#include "interpose/base/state.h"

#include <errno.h>
#include <linux/futex.h>
#include <signal.h>
#include <string.h>
#include <time.h>

/*
 * SIGSETXID, with which glibc changes the user of all threads (glibc
 * sysdeps/unix/sysv/linux/nptl-signals.h): what is not from our timer goes to its handler.
 */
enum { SIGNAL = 33, KERNEL_SIGSET_BYTES = 8 };

/* The kernel's struct sigaction: glibc's sigaction() refuses this signal. */
struct action {
    void (*handler)(int, siginfo_t *, void *);
    unsigned long flags;
    void (*restorer)(void);
    uint64_t mask;
};

static dlw_alarm_handler *rings;
/* What our handler stands in front of. Written before ours is in place, and by dlw_alarm_renew. */
static struct action theirs;
/* 0 not yet, 1 in place; relaxed: installing twice is harmless. */
static _Atomic bool is_installed;

DLW_MAKE_SIGNAL_RESTORER(dlw_alarm_return);

static long install(const struct action *action, struct action *old)
{
    return dlw_syscall(SYS_rt_sigaction, SIGNAL, action, old, KERNEL_SIGSET_BYTES);
}

/* ---- when it rings ---- */

/* One that is not ours, for whoever was there before: glibc, or nobody. */
static void hand_on(int number, siginfo_t *info, void *context)
{
    struct action by_default;

    if (theirs.handler == (void *)SIG_IGN) /* NOLINT(performance-no-int-to-ptr) */
        return;
    if (theirs.handler) {
        theirs.handler(number, info, context);
        return;
    }
    memset(&by_default, 0, sizeof(by_default));
    install(&by_default, NULL);
    dlw_syscall(SYS_tgkill, dlw_syscall(SYS_getpid), dlw_syscall(SYS_gettid), number);
}

/* If it isn't, it is not the stack that room was found on: the wait is a signal handler's. */
static bool is_on_own_stack(const struct dlw_thread *self, uintptr_t sp)
{
    return sp < self->wait.call.sp && self->wait.call.sp - sp < DLW_ALARM_STACK;
}

bool dlw_alarm_still_sleeps(const struct dlw_thread *self)
{
    uint32_t value;

    return self->slept_on.address &&
           (!self->slept_on.compares ||
            (dlw_proc_read(self->slept_on.address, &value, sizeof(value)) &&
             value == self->slept_on.value));
}

/*
 * Did the signal find the thread asleep? The kernel sets it back to its system call, to begin that
 * again: the interrupted code shows it, with the arguments in place.
 */
static bool was_asleep(struct dlw_thread *self, const void *context)
{
    struct dlw_platform_call call;
    unsigned operation;

    self->slept_on.address = 0;
    if (!dlw_platform_interrupted_call(context, &call) || call.number != SYS_futex)
        return false;
    operation = (unsigned)call.arguments[1] & FUTEX_CMD_MASK;
    self->slept_on.address = (uintptr_t)call.arguments[0];
    self->slept_on.value = (uint32_t)call.arguments[2];
    self->slept_on.compares = operation == FUTEX_WAIT || operation == FUTEX_WAIT_BITSET;
    return dlw_alarm_still_sleeps(self);
}

static bool change(struct dlw_thread *thread, uint32_t from, uint32_t to)
{
    return atomic_compare_exchange_strong_explicit(&thread->alarm, &from, to, memory_order_seq_cst,
                                                   memory_order_relaxed);
}

/* 0: not at all. */
static bool set_time(const struct dlw_thread *thread, uint64_t after)
{
    enum { SECOND = 1000000000 };
    struct itimerspec spec = {.it_value = {(time_t)(after / SECOND), (long)(after % SECOND)}};

    return dlw_syscall(SYS_timer_settime, thread->timer - 1, 0, &spec, NULL) == 0;
}

/* It is set no more; false: it wasn't. Another thread that is still setting it finds that it has
 * been left, and takes its time back. The thread itself, or as dlw_alarm_withdraw() says. */
static bool unset(struct dlw_thread *thread, bool *was_set)
{
    for (;;) {
        uint32_t state = atomic_load_explicit(&thread->alarm, memory_order_seq_cst);
        if (state == DLW_ALARM_NONE || state == DLW_ALARM_LEFT)
            return false;
        *was_set = state == DLW_ALARM_SET;
        if (change(thread, state, *was_set ? DLW_ALARM_NONE : DLW_ALARM_LEFT))
            return true;
    }
}

/* It rings before the one who sets it has said that it is set: again in a moment. */
static bool rings_too_soon(struct dlw_thread *self)
{
    enum { MOMENT = 1000000 };

    return atomic_load_explicit(&self->alarm, memory_order_seq_cst) == DLW_ALARM_SETTING &&
           set_time(self, MOMENT);
}

struct ringing {
    struct dlw_thread *self;
    const void *context;
};

static void rings_here(void *context)
{
    const struct ringing *ringing = context;

    rings(ringing->self, was_asleep(ringing->self, ringing->context));
    ringing->self->slept_on.address = 0;
}

/*
 * A thread with an alternate signal stack (each of Rust's has one) is here on that, where there is
 * little room. It is not used up by being left: whatever signal could come is blocked.
 */
static void ring(struct dlw_thread *self, const void *context)
{
    enum { RED_ZONE = 128 };
    uintptr_t interrupted = dlw_platform_interrupted_stack(context);
    struct ringing ringing = {self, context};

    /* Whoever falls asleep from here on may set it anew: pairs with dlw_alarm_is_set. */
    if (rings_too_soon(self) || !change(self, DLW_ALARM_SET, DLW_ALARM_NONE))
        return;
    if (dlw_thread_guard(self) != DLW_GUARD_WAITING || !is_on_own_stack(self, interrupted))
        return;
    if (is_on_own_stack(self, (uintptr_t)__builtin_frame_address(0)))
        rings_here(&ringing);
    else
        dlw_platform_call_on(interrupted - RED_ZONE, rings_here, &ringing);
}

static void on_signal(int number, siginfo_t *info, void *context)
{
    struct dlw_thread *self = dlw_self;
    int kept = errno;

    if (info->si_code != SI_TIMER)
        hand_on(number, info, context);
    else if (self && info->si_value.sival_ptr == self)
        ring(self, context);
    errno = kept;
}

/* ---- its handler ---- */

static bool put_in_place(void)
{
    struct action ours = {.handler = on_signal,
                          .flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK | DLW_SIGNAL_RESTORER_FLAG,
                          .restorer = DLW_SIGNAL_RESTORER(dlw_alarm_return),
                          .mask = ~0ULL};
    struct action old = {0};

    if (install(NULL, &old) != 0)
        return false;
    if (old.handler != on_signal)
        theirs = old;
    return install(&ours, NULL) == 0;
}

void dlw_alarm_start(dlw_alarm_handler *handler)
{
    rings = handler;
}

void dlw_alarm_renew(void)
{
    if (atomic_load_explicit(&is_installed, memory_order_relaxed) &&
        !atomic_load_explicit(&dlw_confined, memory_order_relaxed))
        put_in_place();
}

/* ---- its timer ---- */

static bool is_confined(void)
{
    return atomic_load_explicit(&dlw_confined, memory_order_relaxed);
}

static void drop_timer(struct dlw_thread *thread)
{
    if (thread->timer && !is_confined())
        dlw_syscall(SYS_timer_delete, thread->timer - 1);
    thread->timer = 0;
}

static void note_lack(long result)
{
    if (result == -EAGAIN)
        dlw_ability_lacks(DLW_ABILITY_ALARM, "the user's timers are used up (ulimit -i)");
    else if (result != 0)
        dlw_ability_lacks(DLW_ABILITY_ALARM, "the kernel has no timer for it");
}

/* The kernel's timer for the thread; false: it has none, or the thread has ended meanwhile. */
static bool create_timer(struct dlw_thread *thread, uint32_t tid, int *timer)
{
    struct sigevent event;

    memset(&event, 0, sizeof(event));
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = SIGNAL;
    event.sigev_value.sival_ptr = thread;
    event._sigev_un._tid = (int)tid;
    long result = dlw_syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, timer);
    if (result != -EINVAL || thread == dlw_self) /* else no thread has this tid any more */
        note_lack(result);
    return result == 0;
}

static bool make_timer(struct dlw_thread *thread)
{
    uint32_t tid = atomic_load_explicit(&thread->tid, memory_order_relaxed);
    int timer = 0;

    if (thread->timer && thread->timer_tid == tid)
        return true;
    if (!atomic_load_explicit(&is_installed, memory_order_relaxed)) {
        if (!put_in_place())
            return false;
        atomic_store_explicit(&is_installed, true, memory_order_relaxed);
    }
    drop_timer(thread); /* made too late for who had the record before */
    if (!create_timer(thread, tid, &timer))
        return false;
    thread->timer = (uint32_t)timer + 1;
    thread->timer_tid = tid;
    return true;
}

void dlw_alarm_try(struct dlw_thread *self)
{
    uint32_t tid = atomic_load_explicit(&self->tid, memory_order_relaxed);
    int timer = 0;

    if (!self->timer && create_timer(self, tid, &timer))
        dlw_syscall(SYS_timer_delete, timer);
}

/*
 * By whoever made it SETTING. When the wait was over meanwhile, the time is taken back; and when
 * the thread has begun another wait by then, and has asked for another time, that is set.
 */
static bool finish_setting(struct dlw_thread *thread)
{
    for (;;) {
        if (!make_timer(thread) ||
            !set_time(thread, atomic_load_explicit(&thread->alarm_after, memory_order_relaxed))) {
            atomic_store_explicit(&thread->alarm, DLW_ALARM_NONE, memory_order_seq_cst);
            return false;
        }
        if (change(thread, DLW_ALARM_SETTING, DLW_ALARM_SET))
            return true;
        set_time(thread, 0);
        if (change(thread, DLW_ALARM_LEFT, DLW_ALARM_NONE))
            return false;
    }
}

bool dlw_alarm_set(struct dlw_thread *thread, uint64_t after)
{
    bool is_own = thread == dlw_self;
    uint64_t time = after ? after : 1;

    if (is_confined() || !atomic_load_explicit(&thread->wait.may_ring, memory_order_relaxed))
        return false;
    if (is_own) /* published by the exchange that follows; others set one that is not set at all */
        atomic_store_explicit(&thread->alarm_after, time, memory_order_relaxed);
    while (!change(thread, DLW_ALARM_NONE, DLW_ALARM_SETTING)) {
        if (!is_own)
            return dlw_alarm_is_set(thread);
        if (change(thread, DLW_ALARM_LEFT, DLW_ALARM_SETTING))
            return true; /* the one who takes back the last one's time sets this one's */
        bool is_timed = set_time(thread, time); /* sooner or later, for oneself only... */
        if (dlw_alarm_is_set(thread))
            return is_timed; /* ...unless it has rung just before */
    }
    atomic_store_explicit(&thread->alarm_after, time, memory_order_relaxed);
    return finish_setting(thread);
}

void dlw_alarm_clear_set(struct dlw_thread *self)
{
    bool was_set;

    if (unset(self, &was_set) && was_set && !is_confined())
        set_time(self, 0);
}

void dlw_alarm_withdraw(struct dlw_thread *thread)
{
    dlw_alarm_clear_set(thread);
}

static bool withdraw(void *context, struct dlw_thread *thread)
{
    (void)context;
    dlw_alarm_clear(thread);
    return true;
}

void dlw_alarm_withdraw_all(void)
{
    dlw_threads_each(withdraw, NULL);
}

void dlw_alarm_drop(struct dlw_thread *record)
{
    dlw_alarm_clear(record);
    drop_timer(record);
}

void dlw_alarm_after_fork(struct dlw_thread *self)
{
    self->timer = 0;
    atomic_store_explicit(&self->alarm, DLW_ALARM_NONE, memory_order_relaxed);
}
