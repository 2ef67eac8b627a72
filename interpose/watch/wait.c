#include "interpose/watch/wait.h"

#include "graph/base/sys.h"
#include "graph/waits.h"
#include "interpose/base/proc.h"
#include "interpose/base/state.h"
#include "interpose/locks/orphans.h"
#include "interpose/locks/ref.h"
#include "interpose/order/deferred.h"
#include "interpose/order/validate.h"
#include "interpose/python/gils.h"
#include "interpose/stacks/capture.h"
#include "interpose/tell/pending.h"
#include "interpose/tell/reporter.h"
#include "interpose/threads/alarm.h"
#include "interpose/threads/held.h"
#include "interpose/threads/hooks.h"
#include "interpose/threads/joinable.h"
#include "interpose/threads/jump.h"
#include "interpose/threads/profile.h"
#include "interpose/watch/certainty.h"
#include "interpose/watch/gil.h"
#include "interpose/watch/live_view.h"
#include "interpose/watch/motion.h"
#include "interpose/watch/quiescence.h"
#include "interpose/watch/stall.h"

#include <signal.h>
#include <string.h>

/* In this module threads are called by tid: what the locks themselves say. */

static bool is_waiting(uint64_t sequence)
{
    return sequence & 1;
}

static uint64_t sequence_of(const struct dlw_thread *thread)
{
    return atomic_load_explicit(&thread->wait.sequence, memory_order_seq_cst);
}

/* ---- from a cycle to a finding ---- */

static void fill_hold(struct dlw_thread *thread, const struct dlw_wait_step *step, uintptr_t lock,
                      struct dlw_cycle_entry *entry)
{
    struct dlw_held_lock *held = atomic_load_explicit(&thread->held, memory_order_relaxed);
    int i = dlw_view_find_held(thread, lock);

    entry->holds.lock = lock;
    if (i >= 0 && held[i].kind == DLW_LOCK_GIL) { /* it is held where the thread stands now */
        entry->holds.mode = DLW_EXCLUSIVE;
        entry->holds.stack = entry->wants.stack;
        return;
    }
    /* a writer that waits in front of a reader: it holds nothing but its place in the queue */
    if (i < 0) {
        entry->holds.mode = entry->wants.mode;
        entry->holds.stack = entry->wants.stack;
        return;
    }
    entry->holds.mode = atomic_load_explicit(&held[i].mode, memory_order_relaxed);
    if (thread != dlw_self) {
        entry->holds.stack = dlw_stack_of_waiting_held(thread, step->wait.sequence, &held[i]);
        return;
    }
    DLW_LIVE_ON_STACK(live);
    dlw_live_walk(thread, &thread->wait.call, &live);
    entry->holds.stack = dlw_stack_of_held(thread, &held[i], &live);
}

static void fill_want(struct dlw_thread *thread, const struct dlw_wait_step *step,
                      struct dlw_cycle_entry *entry)
{
    entry->wants.lock = step->wait.on;
    entry->wants.mode = step->wait.mode;
    entry->timed = step->wait.timed;
    if (thread == dlw_self) {
        DLW_LIVE_ON_STACK(live);
        dlw_live_walk(thread, &thread->wait.call, &live);
        entry->wants.stack = dlw_stack_of_live(&live);
        return;
    }
    entry->wants.stack = dlw_stack_of_waiting(thread, step->wait.sequence);
}

/* Entry i holds what entry i-1 wants. False when a thread has gone: then it was no deadlock. */
static bool fill_cycle(const struct dlw_wait_cycle *cycle, struct dlw_cycle_entry *entries)
{
    for (uint32_t i = 0; i < cycle->length; i++) {
        const struct dlw_wait_step *step = &cycle->steps[i];
        const struct dlw_wait_step *before = &cycle->steps[i ? i - 1 : cycle->length - 1];
        struct dlw_thread *thread = dlw_thread_by_tid(step->thread);
        if (!thread)
            return false;
        memset(&entries[i], 0, sizeof(entries[i]));
        entries[i].thread = thread->id;
        fill_want(thread, step, &entries[i]);
        fill_hold(thread, step, (uintptr_t)before->wait.on, &entries[i]);
        dlw_report_know_thread(thread);
    }
    return true;
}

static uint8_t lock_kind_of(const struct dlw_wait_step *step)
{
    struct dlw_thread *thread = dlw_thread_by_tid(step->thread);
    uint8_t kind = thread ? atomic_load_explicit(&thread->wait.lock_kind, memory_order_relaxed)
                          : DLW_LOCK_MUTEX;

    return kind == DLW_LOCK_CONDITION ? DLW_LOCK_MUTEX : kind;
}

/* Addresses become identities. Called with the graph lock held. */
static void name_locks_locked(const struct dlw_wait_cycle *cycle, struct dlw_cycle_entry *entries)
{
    for (uint32_t i = 0; i < cycle->length; i++) {
        struct dlw_lock_ref ref =
            dlw_lock_ref_at((uintptr_t)cycle->steps[i].wait.on, lock_kind_of(&cycle->steps[i]));
        dlw_node node = dlw_lock_node_locked(&ref);
        uint64_t tag = node ? dlw_lock_tag_locked(node) : 0;
        uint32_t next = i + 1 == cycle->length ? 0 : i + 1;
        entries[i].wants.lock = tag;
        entries[next].holds.lock = tag;
        if (node)
            dlw_lock_saw_stack_locked(node, entries[next].holds.stack);
    }
}

static const char *reason_of(const struct dlw_wait_cycle *cycle, const struct dlw_orphan *gone)
{
    for (uint32_t i = 0; i < cycle->length; i++)
        if (cycle->steps[i].owner.ahead)
            return "a writer that waits in front of the reader keeps it out";
    if (!gone)
        return NULL;
    return gone->in_parent ? "the thread that held the lock stayed in the parent of the fork"
                           : "the thread that held the lock has ended";
}

static void mark_dead(const struct dlw_wait_cycle *cycle)
{
    for (uint32_t i = 0; i < cycle->length; i++) {
        struct dlw_thread *thread = dlw_thread_by_tid(cycle->steps[i].thread);
        if (thread)
            thread->is_dead = true;
    }
}

/* A cycle of one, whose holder no longer exists: the report names both. */
struct half {
    struct dlw_orphan gone;
    struct dlw_held held;
    struct dlw_thread_state states[2];
};

static void add_gone(struct dlw_finding *finding, struct dlw_cycle_entry *entry, struct half *half)
{
    entry->holds.stack = half->gone.stack;
    entry->holds.mode = half->gone.mode;
    half->held = entry->holds;
    half->states[0] = (struct dlw_thread_state){.thread = entry->thread,
                                                .waits = DLW_WAIT_LOCK,
                                                .mode = entry->wants.mode,
                                                .on = entry->wants.lock,
                                                .stack = entry->wants.stack};
    half->states[1] =
        (struct dlw_thread_state){.thread = half->gone.thread, .n_holds = 1, .holds = &half->held};
    finding->threads = half->states;
    finding->n_threads = 2;
}

static bool is_half(const struct dlw_wait_cycle *cycle, struct half *half)
{
    const struct dlw_wait_step *step = &cycle->steps[cycle->length - 1];

    return cycle->length == 1 && step->owner.thread == 0 &&
           dlw_orphan_find((uintptr_t)step->wait.on, &half->gone);
}

/* `doubt`: why it is only possible, NULL: it is certain. */
static void tell(struct dlw_thread *self, const struct dlw_wait_cycle *cycle,
                 struct dlw_cycle_entry *entries, const char *doubt)
{
    struct dlw_pending pending = DLW_PENDING_INIT(pending);
    struct half half;
    bool is_gone = is_half(cycle, &half);
    struct dlw_finding finding = {.kind = DLW_DEADLOCK,
                                  .certain = !doubt,
                                  .reason =
                                      doubt ? doubt : reason_of(cycle, is_gone ? &half.gone : NULL),
                                  .n_cycle = cycle->length,
                                  .cycle = entries};

    if (!dlw_lock_acquire(&dlw_graph_lock))
        return;
    name_locks_locked(cycle, entries);
    if (is_gone)
        add_gone(&finding, entries, &half);
    dlw_pending_finding_locked(&pending, &finding);
    dlw_lock_release(&dlw_graph_lock);
    dlw_report_pending(self, &pending);
}

static void report(struct dlw_thread *self, const struct dlw_wait_cycle *cycle, const char *doubt)
{
    size_t bytes = cycle->length * sizeof(struct dlw_cycle_entry);
    struct dlw_cycle_entry *entries = dlw_pages_map(bytes);

    if (!entries)
        return;
    if (fill_cycle(cycle, entries)) {
        mark_dead(cycle);
        /* Orders over these semaphores that wait to be told are no second mistake. */
        for (uint32_t i = 0; i < cycle->length; i++)
            dlw_deferred_loses((const sem_t *)(uintptr_t)cycle->steps[i].wait.on); /* NOLINT */
        tell(self, cycle, entries, doubt);
    }
    dlw_pages_unmap(entries, bytes);
}

static enum dlw_certainty find_deadlock(struct dlw_thread *self, const struct dlw_live_view *seen,
                                        uint32_t tid, struct dlw_wait_cycle *cycle,
                                        const char **doubt)
{
    return dlw_waits_find_cycle(seen, &self->scratch, tid, cycle) ? dlw_certainty_of(cycle, doubt)
                                                                  : DLW_NO_DEADLOCK;
}

static bool look_from(struct dlw_thread *self, const struct dlw_live_view *seen, uint32_t tid)
{
    struct dlw_wait_cycle cycle = {0};
    const char *doubt;
    enum dlw_certainty certainty = find_deadlock(self, seen, tid, &cycle, &doubt);

    if (certainty != DLW_NO_DEADLOCK)
        report(self, &cycle, doubt);
    dlw_wait_cycle_free(&self->scratch, &cycle);
    return certainty != DLW_NO_DEADLOCK;
}

bool dlw_wait_look(struct dlw_thread *self)
{
    dlw_guard_enter(self);
    bool found =
        look_from(self, &dlw_view_now, atomic_load_explicit(&self->tid, memory_order_relaxed));
    dlw_guard_leave(self);
    return found;
}

/* ---- with everybody asleep ---- */

static bool has_deadlock(struct dlw_thread *self, uint32_t tid)
{
    struct dlw_wait_cycle cycle = {0};
    const char *doubt;
    enum dlw_certainty certainty = find_deadlock(self, &dlw_view_asleep, tid, &cycle, &doubt);

    dlw_wait_cycle_free(&self->scratch, &cycle);
    return certainty != DLW_NO_DEADLOCK;
}

uint64_t dlw_wait_circle_motion(struct dlw_thread *self)
{
    struct dlw_wait_cycle cycle = {0};
    uint64_t motion = 0;

    dlw_guard_enter(self);
    uint32_t tid = atomic_load_explicit(&self->tid, memory_order_relaxed);
    if (dlw_waits_find_cycle(&dlw_view_asleep, &self->scratch, tid, &cycle))
        for (uint32_t i = 0; i < cycle.length; i++)
            motion = motion * 31 + cycle.steps[i].wait.sequence + cycle.steps[i].thread;
    dlw_wait_cycle_free(&self->scratch, &cycle);
    dlw_guard_leave(self);
    return motion;
}

void dlw_wait_look_steered(struct dlw_thread *self)
{
    dlw_guard_enter(self);
    if (!self->is_dead)
        look_from(self, &dlw_view_asleep, atomic_load_explicit(&self->tid, memory_order_relaxed));
    dlw_guard_leave(self);
}

struct tids {
    uint32_t *out, n, room;
};

static bool collect_tid(void *context, struct dlw_thread *thread)
{
    struct tids *tids = context;

    if (tids->n == tids->room)
        return false;
    if (!thread->is_dead)
        tids->out[tids->n++] = atomic_load_explicit(&thread->tid, memory_order_relaxed);
    return true;
}

static enum dlw_wait_found look_from_each(struct dlw_thread *self, const struct tids *tids)
{
    enum dlw_wait_found found = DLW_WAIT_NO_CYCLE;

    for (uint32_t i = 0; i < tids->n && found != DLW_WAIT_REPORTED; i++) {
        if (!has_deadlock(self, tids->out[i]))
            continue;
        found = dlw_quiescence_comes_soon(self) && look_from(self, &dlw_view_asleep, tids->out[i])
                    ? DLW_WAIT_REPORTED
                    : DLW_WAIT_UNPROVEN;
    }
    return found;
}

enum dlw_wait_found dlw_wait_look_all(struct dlw_thread *self)
{
    enum { FEW = 64 };
    uint32_t few[FEW];
    struct tids tids = {.out = few, .room = dlw_threads_alive() + 16};
    size_t bytes = tids.room * sizeof(*tids.out);

    if (atomic_load_explicit(&dlw_confined, memory_order_relaxed))
        return DLW_WAIT_NO_CYCLE;
    if (tids.room > FEW)
        tids.out = dlw_pages_map(bytes);
    if (!tids.out)
        return DLW_WAIT_NO_CYCLE;
    dlw_threads_each(collect_tid, &tids);
    enum dlw_wait_found found = look_from_each(self, &tids);
    if (tids.out != few)
        dlw_pages_unmap(tids.out, bytes);
    return found;
}

/* ---- a holder goes ---- */

struct waiters {
    uintptr_t lock;
    uint32_t tids[64];
    uint32_t n;
};

static bool visit_waiter(void *context, struct dlw_thread *thread)
{
    struct waiters *waiters = context;

    if (is_waiting(sequence_of(thread)) && waiters->n < 64 &&
        atomic_load_explicit(&thread->wait.on, memory_order_relaxed) == waiters->lock)
        waiters->tids[waiters->n++] = atomic_load_explicit(&thread->tid, memory_order_relaxed);
    return true;
}

void dlw_wait_look_waiters(struct dlw_thread *self, uintptr_t lock)
{
    struct waiters waiters = {.lock = lock};
    int index = dlw_held_find(self, (const void *)lock); /* NOLINT(performance-no-int-to-ptr) */

    if (index >= 0) /* it ends holding the lock: from here on its record doesn't show that */
        atomic_store_explicit(&dlw_held_at(self, (uint32_t)index)->lock, DLW_HELD_DISOWNED,
                              memory_order_relaxed);
    dlw_threads_each(visit_waiter, &waiters);
    for (uint32_t i = 0; i < waiters.n; i++)
        look_from(self, &dlw_view_now, waiters.tids[i]);
}

/* A thread that has not begun, or has ended, waits for nothing. */
static bool joins_a_waiter(struct dlw_thread *self, pthread_t handle)
{
    uint32_t id;
    uint32_t tid = 0;

    dlw_guard_enter(self);
    bool is_known = dlw_joinable_find(handle, &id, &tid);
    dlw_guard_leave(self);
    if (!is_known || tid == 0)
        return false;
    struct dlw_thread *joined = dlw_thread_by_tid(tid);
    return !joined || joined == self || is_waiting(sequence_of(joined));
}

static uint32_t holder_of(const struct dlw_wait_for *wait)
{
    if (wait->lock_kind == DLW_LOCK_GIL)
        return dlw_gil_owner((pthread_mutex_t *)(wait->on + DLW_GIL_MUTEX)); /* NOLINT */
    return dlw_mutex_holder((const pthread_mutex_t *)wait->on);              /* NOLINT */
}

/* Most waits are for a running thread, or for nobody: seen with two loads. */
static bool can_be_a_cycle(struct dlw_thread *self, const struct dlw_wait_for *wait)
{
    if (wait->kind == DLW_WAIT_JOIN)
        return joins_a_waiter(self, (pthread_t)wait->on);
    if (wait->kind == DLW_WAIT_CONDITION || wait->kind == DLW_WAIT_SEMAPHORE ||
        wait->kind == DLW_WAIT_BARRIER || wait->kind == DLW_WAIT_FUTEX ||
        wait->kind == DLW_WAIT_DESTROY)
        return false;
    if (wait->lock_kind != DLW_LOCK_MUTEX && wait->lock_kind != DLW_LOCK_GIL)
        return true;
    struct dlw_thread *owner = dlw_thread_by_tid(holder_of(wait));
    return !owner || owner == self || is_waiting(sequence_of(owner));
}

static const void *object_of(uintptr_t address)
{
    return (const void *)address; /* NOLINT(performance-no-int-to-ptr) */
}

/* The C library sets the bit on each robust mutex, shared or not: that one says nothing. */
static bool mutex_is_shared(const pthread_mutex_t *mutex)
{
    unsigned kind = dlw_mutex_kind(mutex);

    return (kind & DLW_KIND_SHARED) && !(kind & DLW_KIND_ROBUST);
}

/* It is made for several processes. */
static bool says_shared(const struct dlw_wait_for *wait)
{
    const void *object = object_of(wait->on);

    switch (wait->lock_kind) {
    case DLW_LOCK_MUTEX:
        return mutex_is_shared(object);
    case DLW_LOCK_RWLOCK:
        return dlw_rwlock_is_shared(object);
    case DLW_LOCK_SEMAPHORE:
        return dlw_semaphore_is_shared(object);
    case DLW_LOCK_CONDITION:
        return dlw_condition_is_shared(object);
    case DLW_LOCK_BARRIER:
        return dlw_barrier_is_shared(object);
    default:
        return false;
    }
}

/* Another process may end it. Not so what says that it is shared and lies in private memory: many
 * set the attribute without need. What is shared without saying so is looked for in the proof. */
static bool is_shared(const struct dlw_wait_for *wait)
{
    return says_shared(wait) && dlw_proc_was_shared(wait->on);
}

/* Does the kernel lend the holder this thread's priority? Not while it is interrupted. */
static bool lends_priority(uintptr_t mutex)
{
    return mutex && (dlw_mutex_kind(object_of(mutex)) & DLW_KIND_INHERIT);
}

/* May the wait be interrupted by an alarm? It sleeps on a futex then, or spins, and there is room
 * on a stack of known size. */
static bool may_ring(const struct dlw_thread *self, const struct dlw_wait_for *wait)
{
    uintptr_t sp = wait->call.sp;

    return !wait->annotated && wait->lock_kind != DLW_LOCK_GIL &&
           !(wait->lock_kind == DLW_LOCK_CONDITION && lends_priority(wait->relocks)) &&
           !(wait->lock_kind == DLW_LOCK_MUTEX && lends_priority(wait->on)) &&
           sp <= self->stack_high && self->stack_size > DLW_ALARM_STACK &&
           sp >= self->stack_high - self->stack_size + DLW_ALARM_STACK;
}

_Atomic uint32_t dlw_wait_counts[DLW_WAIT_PLACES];

static void count(unsigned kind, unsigned lock_kind, uintptr_t lock, uint32_t by)
{
    if (kind == DLW_WAIT_LOCK && (lock_kind == DLW_LOCK_MUTEX || lock_kind == DLW_LOCK_RWLOCK))
        atomic_fetch_add_explicit(dlw_wait_count_of(lock), by, memory_order_relaxed);
}

static void publish(struct dlw_thread *self, const struct dlw_wait_for *wait)
{
    struct dlw_wait_slot *slot = &self->wait;

    dlw_wait_end(self);    /* a GIL's wait that stands between two slices: a signal handler waits */
    dlw_guard_enter(self); /* a signal handler may wait too */
    uint64_t sequence = atomic_load_explicit(&slot->sequence, memory_order_relaxed);
    dlw_alarm_clear(self); /* one that was meant for the wait before, and came too late */
    uint64_t now = dlw_trail_asks(self, wait->on, DLW_TRAITS(wait->lock_kind, wait->mode, 0, 0),
                                  (enum dlw_wait_kind)wait->kind, wait->call.pc);
    /* The number says that there is no wait before its words change: pairs with the acquire fences
     * of those who read them and then look at the number again. */
    atomic_thread_fence(memory_order_release);
    atomic_store_explicit(&slot->on, wait->on, memory_order_relaxed);
    atomic_store_explicit(&slot->kind, wait->kind, memory_order_relaxed);
    atomic_store_explicit(&slot->lock_kind, wait->lock_kind, memory_order_relaxed);
    atomic_store_explicit(&slot->mode, wait->mode, memory_order_relaxed);
    atomic_store_explicit(&slot->timed, wait->timed, memory_order_relaxed);
    atomic_store_explicit(&slot->relocks, wait->relocks, memory_order_relaxed);
    atomic_store_explicit(&slot->since, now, memory_order_relaxed);
    atomic_store_explicit(&slot->is_over, wait->is_over, memory_order_relaxed);
    bool is_endless = !wait->timed && !is_shared(wait);
    atomic_store_explicit(&slot->is_endless, is_endless, memory_order_relaxed);
    atomic_store_explicit(&slot->may_ring, is_endless && may_ring(self, wait),
                          memory_order_relaxed);
    slot->annotated = wait->annotated;
    slot->expected = wait->expected;
    slot->call = wait->call;
    count(wait->kind, wait->lock_kind, wait->on, 1);
    self->began = dlw_motion_falls_asleep(self);
    self->is_dead = false; /* before others can see the wait and judge it */
    dlw_guard_set(self, DLW_GUARD_WAITING);
    /* Release: pairs with sequence_of in a walker, which sees all of the above, and everything this
     * thread holds. The fence pairs with a walker's own, between its wait and its look: of two that
     * publish at once, one sees the other. */
    atomic_store_explicit(&slot->sequence, sequence + 1, memory_order_release);
    atomic_thread_fence(memory_order_seq_cst);
    dlw_report_flush(true);
    dlw_guard_leave(self);
}

/* Is it a wait for a lock, which somebody holds? */
static bool is_for_lock(unsigned kind)
{
    return kind == DLW_WAIT_LOCK || kind == DLW_WAIT_SPIN || kind == DLW_WAIT_SEMAPHORE;
}

static void begin_timing(struct dlw_thread *self, const struct dlw_wait_for *wait)
{
    self->profile_holder = (struct dlw_profile_holder){0};
    if (wait->lock_kind == DLW_LOCK_MUTEX)
        self->profile_holder =
            dlw_profile_holder_of(dlw_mutex_holder(object_of(wait->on)), wait->on);
    self->profile_began = is_for_lock(wait->kind) ? dlw_now() : 0;
}

static void end_timing(struct dlw_thread *self)
{
    uint64_t ns = dlw_now() - self->profile_began;

    self->profile_began = 0;
    dlw_profile_waited(self, atomic_load_explicit(&self->wait.on, memory_order_relaxed),
                       atomic_load_explicit(&self->wait.lock_kind, memory_order_relaxed),
                       self->wait.call.pc, ns, self->profile_holder);
}

void dlw_wait_begin(struct dlw_thread *self, const struct dlw_wait_for *wait)
{
    if (dlw_options.profile)
        begin_timing(self, wait);
    publish(self, wait);
    bool is_told = !wait->timed && can_be_a_cycle(self, wait) && dlw_wait_look(self);
    self->look_after = 0;
    if (atomic_load_explicit(&self->wait.is_endless, memory_order_relaxed))
        dlw_stall_watch(self);
    /* A deadlock over semaphores that is still to be proved (look_after) is told as that; if it is
     * none, the order is learned when the lock is had. */
    if (wait->orders && !self->look_after)
        dlw_validate_wanted(self, wait->orders, wait->mode, wait->timed, &wait->call,
                            is_told || self->is_dead);
}

void dlw_wait_end(struct dlw_thread *self)
{
    uint64_t sequence = atomic_load_explicit(&self->wait.sequence, memory_order_relaxed);

    if (is_waiting(sequence)) {
        if (self->profile_began)
            end_timing(self);
        dlw_trail_waited(self);
        count(atomic_load_explicit(&self->wait.kind, memory_order_relaxed),
              atomic_load_explicit(&self->wait.lock_kind, memory_order_relaxed),
              atomic_load_explicit(&self->wait.on, memory_order_relaxed), -1U);
        atomic_store_explicit(&self->wait.sequence, sequence + 1, memory_order_release);
        dlw_motion_wakes(self);
        dlw_alarm_clear(self);
    }
    dlw_guard_clear(self, DLW_GUARD_WAITING);
}

void dlw_wait_left(struct dlw_thread *self)
{
    struct dlw_call call = self->wait.call;
    uintptr_t mutex = atomic_load_explicit(&self->wait.relocks, memory_order_relaxed);

    dlw_wait_end(self);
    /* Cancelled, as it seems: no later wait, as in a cleanup handler, ends by it. */
    atomic_store_explicit(&self->is_cancelled, false, memory_order_relaxed);
    dlw_hooks.condition_left(self, mutex, call);
}

void dlw_wait_jumps(struct dlw_thread *self, uintptr_t target)
{
    const struct dlw_call *call = &self->wait.call;

    if (dlw_thread_guard(self) != DLW_GUARD_WAITING)
        return;
    if (!self->wait.annotated && dlw_jump_leaves(self, target, call->sp))
        dlw_wait_left(self);
    else if (!target)
        dlw_alarm_clear(self);
}

/*
 * While the wait lasts, its wrapper's frame is there: its return address in place, and a signal
 * handler's frames further in by more than what the kernel saves. Whoever calls from where the
 * frame was has left the wait.
 */
static bool is_left(const struct dlw_thread *self, uintptr_t here)
{
    const struct dlw_call *call = &self->wait.call;
    uintptr_t pc = 0;

    if (self->wait.annotated)
        return false;
    enum dlw_proc_reading reading =
        dlw_proc_try_read(call->sp - DLW_RETURN_SLOT, &pc, sizeof(pc)); /* may be a fiber's stack */
    if (reading == DLW_PROC_UNKNOWN)
        return false;
    if (reading == DLW_PROC_GONE || pc != call->pc)
        return true;
    return here > call->sp - DLW_SIGNAL_FRAME && here <= self->stack_high &&
           !dlw_signals_alternate_stack(NULL);
}

bool dlw_thread_still_passes(struct dlw_thread *self)
{
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);

    if ((self->guard & DLW_GUARD_OFF) ||
        (self->guard & DLW_GUARD_DEPTH && !dlw_jump_heals(self, here)))
        return true;
    if (dlw_thread_guard(self) == DLW_GUARD_WAITING && is_left(self, here))
        dlw_wait_left(self);
    return dlw_thread_guard(self) != 0;
}
