#include "interpose/watch/stall.h"

#include "graph/base/sys.h"
#include "interpose/base/hash.h"
#include "interpose/base/proc.h"
#include "interpose/base/state.h"
#include "interpose/locks/ownership.h"
#include "interpose/locks/ref.h"
#include "interpose/stacks/capture.h"
#include "interpose/tell/pending.h"
#include "interpose/tell/reporter.h"
#include "interpose/threads/alarm.h"
#include "interpose/threads/held.h"
#include "interpose/threads/joinable.h"
#include "interpose/watch/last_signal.h"
#include "interpose/watch/live_view.h"
#include "interpose/watch/misuse.h"
#include "interpose/watch/motion.h"
#include "interpose/watch/quiescence.h"
#include "interpose/watch/wait.h"

#include <signal.h>
#include <string.h>

static const uint64_t SECOND = 1000000000; /* ns */

/* ---- the proof ---- */

struct states {
    struct dlw_thread *self;
    struct dlw_thread_state *out;
    struct dlw_thread **threads;
    uint64_t *sequences;
    struct dlw_held *holds;
    uint32_t n, room, n_holds, room_holds;
};

static bool collect(void *context, struct dlw_thread *thread)
{
    struct states *states = context;

    if (states->n == states->room)
        return false;
    states->threads[states->n] = thread;
    states->sequences[states->n++] =
        atomic_load_explicit(&thread->wait.sequence, memory_order_seq_cst);
    states->n_holds += atomic_load_explicit(&thread->depth, memory_order_relaxed);
    return true;
}

static uint32_t want_stack(struct states *states, uint32_t i)
{
    struct dlw_thread *thread = states->threads[i];

    if (thread != states->self)
        return dlw_stack_of_waiting(thread, states->sequences[i]);
    DLW_LIVE_ON_STACK(live);
    dlw_live_walk(thread, &thread->wait.call, &live);
    return dlw_stack_of_live(&live);
}

static uint32_t hold_stack(struct states *states, uint32_t i, struct dlw_held_lock *held)
{
    struct dlw_thread *thread = states->threads[i];

    if (thread != states->self)
        return dlw_stack_of_waiting_held(thread, states->sequences[i], held);
    DLW_LIVE_ON_STACK(live);
    dlw_live_walk(thread, &thread->wait.call, &live);
    return dlw_stack_of_held(thread, held, &live);
}

static uint64_t tag_of(uintptr_t address, unsigned kind)
{
    struct dlw_lock_ref ref = dlw_lock_ref_at(address, kind);
    uint32_t tid;

    /* Whose end a join waits for. */
    if (kind == DLW_LOCK_THREAD && !dlw_joinable_find((pthread_t)address, &ref.thread, &tid))
        ref.thread = 0;
    if (!dlw_lock_acquire_or_skip(&dlw_graph_lock))
        return 0;
    dlw_node node = dlw_lock_node_locked(&ref);
    uint64_t tag = node ? dlw_lock_tag_locked(node) : 0;
    dlw_lock_release(&dlw_graph_lock);
    return tag;
}

/* The thread waits for what it made taken: an event, which it doesn't hold. */
static bool is_own_event(const struct dlw_thread *thread, const struct dlw_held_lock *held)
{
    return (held->flags & DLW_HELD_MADE) &&
           atomic_load_explicit(&held->lock, memory_order_relaxed) ==
               atomic_load_explicit(&thread->wait.on, memory_order_relaxed);
}

static void fill_holds(struct states *states, uint32_t i, struct dlw_held *holds)
{
    struct dlw_thread *thread = states->threads[i];
    struct dlw_held_lock *held = atomic_load_explicit(&thread->held, memory_order_acquire);
    uint32_t depth = atomic_load_explicit(&thread->depth, memory_order_relaxed);

    for (uint32_t k = 0; k < depth; k++) {
        uintptr_t lock = atomic_load_explicit(&held[k].lock, memory_order_relaxed);
        if (!dlw_held_is_there(&held[k]) || !dlw_held_is_owned(thread, &held[k]) ||
            is_own_event(thread, &held[k]) || states->out[i].n_holds == states->room_holds)
            continue;
        holds[states->out[i].n_holds++] =
            (struct dlw_held){.lock = tag_of(lock, held[k].kind),
                              .stack = hold_stack(states, i, &held[k]),
                              .mode = atomic_load_explicit(&held[k].mode, memory_order_relaxed)};
    }
    states->out[i].holds = holds;
}

/* Only of those that are here is a name to be had. */
static uint32_t living(const struct states *states, uint32_t id)
{
    for (uint32_t i = 0; i < states->n; i++)
        if (states->threads[i]->id == id)
            return id;
    return 0;
}

/* What the thread waits for is there as long as it waits. */
static void fill_facts(const struct states *states, uint32_t i)
{
    const struct dlw_thread *thread = states->threads[i];
    struct dlw_thread_state *state = &states->out[i];
    uintptr_t on = atomic_load_explicit(&thread->wait.on, memory_order_relaxed);
    struct dlw_signal_facts signals;

    if (state->waits == DLW_WAIT_BARRIER) {
        state->arrived = dlw_barrier_arrived((const pthread_barrier_t *)on); /* NOLINT */
        state->parties = dlw_barrier_count((const pthread_barrier_t *)on);   /* NOLINT */
    }
    if (state->waits != DLW_WAIT_CONDITION || !dlw_last_signal_find(on, &signals))
        return;
    state->signal =
        (struct dlw_last_signal){.is_known = true,
                                 .is_before = signals.after <= thread->began,
                                 .thread = living(states, signals.thread),
                                 .stack = signals.count ? dlw_stack_of_pc(signals.pc) : 0,
                                 .count = signals.count};
}

static void fill(struct states *states)
{
    uint64_t now = dlw_now();
    struct dlw_held *holds = states->holds;

    for (uint32_t i = 0; i < states->n; i++) {
        struct dlw_thread *thread = states->threads[i];
        const struct dlw_wait_slot *wait = &thread->wait;
        states->out[i] = (struct dlw_thread_state){
            .thread = thread->id,
            .waits = atomic_load_explicit(&wait->kind, memory_order_relaxed),
            .mode = atomic_load_explicit(&wait->mode, memory_order_relaxed),
            .on = tag_of(atomic_load_explicit(&wait->on, memory_order_relaxed),
                         atomic_load_explicit(&wait->lock_kind, memory_order_relaxed)),
            .since_ns = now - atomic_load_explicit(&wait->since, memory_order_relaxed),
            .stack = want_stack(states, i),
        };
        fill_facts(states, i);
        fill_holds(states, i, holds);
        holds += states->out[i].n_holds;
        dlw_report_know_thread(thread);
    }
}

static bool are_still(const struct states *states)
{
    for (uint32_t i = 0; i < states->n; i++)
        if (atomic_load_explicit(&states->threads[i]->wait.sequence, memory_order_seq_cst) !=
            states->sequences[i])
            return false;
    return true;
}

static void tell(struct states *states)
{
    struct dlw_pending pending = DLW_PENDING_INIT(pending);
    struct dlw_finding finding = {
        .kind = DLW_STALL, .certain = true, .n_threads = states->n, .threads = states->out};

    if (!dlw_lock_acquire(&dlw_graph_lock))
        return;
    dlw_pending_finding_locked(&pending, &finding);
    dlw_lock_release(&dlw_graph_lock);
    dlw_report_pending(states->self, &pending);
}

static uint64_t sum_of(const struct states *states)
{
    uint64_t sum = 1;

    for (uint32_t i = 0; i < states->n; i++)
        sum = (sum ^ states->out[i].thread ^ states->out[i].on ^
               (uint64_t)states->out[i].stack << 32) *
              DLW_GOLDEN;
    return sum;
}

/*
 * Somebody outside could still end it: no finding. But whoever finds the process killed wants to
 * know how it stood. The same picture again (a pool that idles now and then) is not written twice.
 */
static void leave_snapshot(struct states *states)
{
    static _Atomic uint64_t last;
    struct dlw_pending pending = DLW_PENDING_INIT(pending);
    uint64_t sum = sum_of(states);

    if (!dlw_options.report || !dlw_options.report[0] ||
        atomic_exchange_explicit(&last, sum, memory_order_relaxed) == sum)
        return;
    if (!dlw_lock_acquire_or_skip(&dlw_graph_lock))
        return;
    dlw_pending_waits_locked(&pending, states->out, states->n);
    dlw_lock_release(&dlw_graph_lock);
    dlw_report_pending(states->self, &pending);
}

/* Every task of the process is known, and no signal handler could post. That no wait is for shared
 * memory was proved with sleep itself (quiescence.c). */
static bool is_closed_world(const struct states *states)
{
    return dlw_proc_tasks() == (long)states->n && !dlw_proc_catches_signals();
}

static void judge(struct states *states)
{
    bool is_closed = is_closed_world(states);

    fill(states);
    if (!are_still(states))
        return;
    if (is_closed)
        tell(states);
    else
        leave_snapshot(states);
}

static void report_stall(struct dlw_thread *self)
{
    uint32_t room = dlw_threads_alive() + 16;
    struct states states = {.self = self, .room = room, .room_holds = 64};
    size_t each = sizeof(*states.out) + sizeof(*states.threads) + sizeof(*states.sequences) +
                  states.room_holds * sizeof(*states.holds);
    char *block = dlw_pages_map(room * each);

    if (!block)
        return;
    states.out = (struct dlw_thread_state *)(void *)block;
    states.holds = (struct dlw_held *)(void *)(states.out + room);
    states.threads = (struct dlw_thread **)(void *)(states.holds + room * states.room_holds);
    states.sequences = (uint64_t *)(void *)(states.threads + room);
    dlw_threads_each(collect, &states);
    if (states.n < room && !atomic_load_explicit(&dlw_confined, memory_order_relaxed))
        judge(&states);
    dlw_pages_unmap(block, room * each);
}

/* ---- who looks, and when ---- */

/* The thread whose alarm is set so that somebody looks once nobody is awake; a hint. */
static struct dlw_thread *_Atomic sentry;

static bool is_watched(void)
{
    const struct dlw_thread *thread = atomic_load_explicit(&sentry, memory_order_seq_cst);

    return thread && dlw_alarm_is_set(thread);
}

static bool post(struct dlw_thread *thread, uint64_t after)
{
    bool is_set = thread && dlw_alarm_set(thread, after);

    if (is_set)
        atomic_store_explicit(&sentry, thread, memory_order_seq_cst);
    return is_set;
}

static uint64_t stall_after(void)
{
    return (uint64_t)dlw_options.stall_after * SECOND;
}

/*
 * A cycle is certain as soon as everybody is seen asleep; a mere stall only after its time, since a
 * wake-up may be under way. Where the proof of sleep fails though nobody has moved (others look at
 * the same time, or have not come to rest yet), it is tried again before long, ever more seldom,
 * and apart from others that look at the same time.
 */
static void look_again(struct dlw_thread *self)
{
    enum { FIRST = 10000000 };

    self->look_after = self->look_after ? self->look_after * 2 : FIRST;
    if (self->look_after > 60 * SECOND)
        self->look_after = 60 * SECOND;
    self->look_after += self->id % 16 * (self->look_after / 64);
}

static void look_fresh(struct dlw_thread *self)
{
    dlw_guard_enter(self);
    if (dlw_wait_look_all(self) == DLW_WAIT_UNPROVEN)
        look_again(self);
    dlw_guard_leave(self);
}

/* Nobody will look: is it for want of a timer? */
static void tell_missing(struct dlw_thread *self)
{
    dlw_guard_enter(self);
    dlw_report_flush(false);
    dlw_guard_leave(self);
}

void dlw_stall_watch(struct dlw_thread *self)
{
    bool may_close = dlw_motion_any_semaphore();

    self->look_after = 0;
    if (!dlw_motion_all_wait() || self->is_dead || (is_watched() && !may_close) ||
        dlw_motion_any_woken(self))
        return;
    struct dlw_motion motion = dlw_motion_scan(self);
    if (!motion.all || !dlw_view_is_blocked(self))
        return;
    if (may_close && motion.any_semaphore)
        look_fresh(self);
    if (self->look_after && dlw_alarm_set(self, self->look_after))
        return;
    uint64_t after = self->look_after ? self->look_after : stall_after();
    /* its wait was over, or is another by now */
    if (!post(motion.sentry, after) && !post(self, after))
        tell_missing(self);
}

/* Without a record of its own: no handler may find the threads lock held. */
void dlw_stall_thread_ended(void)
{
    uint64_t all = ~0ULL;
    uint64_t kept;

    if (!dlw_motion_all_wait() || is_watched() || dlw_threads_alive() == 0 ||
        atomic_load_explicit(&dlw_confined, memory_order_relaxed))
        return;
    dlw_syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &kept, sizeof(all));
    struct dlw_motion motion = dlw_motion_scan(NULL);
    if (motion.all)
        post(motion.sentry, motion.any_semaphore ? SECOND / 100 : stall_after());
    dlw_syscall(SYS_rt_sigprocmask, SIG_SETMASK, &kept, NULL, sizeof(kept));
}

static void report_once(struct dlw_thread *self, uint64_t motion)
{
    /* the motion at the last report: as long as it is the same there is nothing new to report */
    static _Atomic uint64_t told;

    if (atomic_exchange_explicit(&told, motion, memory_order_relaxed) != motion)
        report_stall(self);
}

static bool spins(const struct dlw_thread *self)
{
    return atomic_load_explicit(&self->wait.kind, memory_order_relaxed) == DLW_WAIT_SPIN;
}

/* Returns in how many ns it is worth another look; 0: when somebody has moved, and falls asleep. */
static uint64_t look(struct dlw_thread *self, bool asleep)
{
    struct dlw_motion motion = dlw_motion_scan(self);
    uint64_t now = dlw_now();
    uint64_t due = motion.since + stall_after();

    if (!motion.all || self->is_dead)
        return 0;
    if (!self->look_after && !motion.any_semaphore && now < due)
        return due - now;
    if (!(asleep || spins(self)) || !dlw_quiescence_comes_soon(self)) {
        look_again(self);
        dlw_report_flush(false); /* why it could not be seen, maybe */
        return dlw_motion_is_none(self, motion.sum) ? self->look_after : 0;
    }
    if (dlw_wait_look_all(self) == DLW_WAIT_REPORTED)
        return 0;
    self->look_after = 0;
    if (now < due)
        return due - now;
    report_once(self, motion.sum);
    return 0;
}

static void rings(struct dlw_thread *self, bool asleep)
{
    uint64_t again = 0;

    dlw_guard_enter(self);
    if (dlw_motion_all_wait())
        again = look(self, asleep);
    dlw_guard_leave(self);
    if (again)
        post(self, again);
}

void dlw_stall_start(void)
{
    dlw_alarm_start(rings);
}

void dlw_stall_after_fork(struct dlw_thread *self)
{
    atomic_store_explicit(&sentry, NULL, memory_order_relaxed);
    dlw_alarm_after_fork(self);
    dlw_motion_after_fork(self);
}
