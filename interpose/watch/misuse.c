#include "interpose/watch/misuse.h"

#include "interpose/base/proc.h"
#include "interpose/base/state.h"
#include "interpose/locks/orphans.h"
#include "interpose/locks/ownership.h"
#include "interpose/locks/ref.h"
#include "interpose/order/validate.h"
#include "interpose/stacks/capture.h"
#include "interpose/tell/pending.h"
#include "interpose/tell/reporter.h"
#include "interpose/threads/held.h"
#include "interpose/watch/wait.h"

#include <errno.h>
#include <string.h>

static uint32_t tid_of(const struct dlw_thread *thread)
{
    return atomic_load_explicit(&thread->tid, memory_order_relaxed);
}

/* ---- telling ---- */

struct other {
    uintptr_t lock;
    uint32_t tid;
    uint8_t mode;
};

static bool visit_other(void *context, struct dlw_thread *thread)
{
    struct other *other = context;
    struct dlw_held_lock *held = atomic_load_explicit(&thread->held, memory_order_acquire);
    uint32_t depth = atomic_load_explicit(&thread->depth, memory_order_relaxed);

    for (uint32_t i = 0; i < depth; i++) {
        if (atomic_load_explicit(&held[i].lock, memory_order_relaxed) != other->lock)
            continue;
        other->tid = tid_of(thread);
        other->mode = atomic_load_explicit(&held[i].mode, memory_order_relaxed);
        return false;
    }
    return true;
}

/* The tid of the thread that holds the lock (0: nobody), and the mode of its hold. */
static uint32_t who_holds(uintptr_t lock, uint8_t *mode)
{
    struct other other = {.lock = lock};

    dlw_threads_each(visit_other, &other);
    *mode = other.mode;
    return other.tid;
}

static uint32_t stack_here(struct dlw_thread *self, const struct dlw_call *call)
{
    DLW_LIVE_ON_STACK(live);

    dlw_live_walk(self, call, &live);
    return dlw_stack_of_live(&live);
}

/* Where the holder took it: exact of the caller itself and of a thread that waits, else the places
 * noted at the lock. */
static uint32_t stack_of_holder(struct dlw_thread *self, uintptr_t lock, uint32_t tid,
                                const struct dlw_call *call)
{
    struct dlw_thread *holder = dlw_thread_by_tid(tid);
    DLW_LIVE_ON_STACK(live);

    if (holder == self) {
        int index = dlw_held_find(self, (const void *)lock); /* NOLINT */
        dlw_live_walk(self, call, &live);
        return index < 0 ? 0 : dlw_stack_of_held(self, dlw_held_at(self, (uint32_t)index), &live);
    }
    return holder ? dlw_stack_of_others_held(holder, lock) : 0;
}

/* Gives the lock an identity while it certainly exists, and captures the stack of the call. */
static void note(struct dlw_thread *self, const struct dlw_lock_ref *ref, unsigned kind,
                 const struct dlw_call *call, const char *reason, struct dlw_accusation *out)
{
    out->is_made = true;
    out->ref = *ref;
    out->kind = (uint8_t)kind;
    out->reason = reason;
    out->stack = stack_here(self, call);
    if (out->other && !out->other_waits)
        out->other_stack = stack_of_holder(self, ref->address, out->other, call);
    if (!dlw_lock_acquire_or_skip(&dlw_graph_lock))
        return;
    dlw_node node = dlw_lock_node_locked(ref);
    if (node) {
        dlw_lock_saw_stack_locked(node, out->stack);
        out->lock = dlw_lock_tag_locked(node);
    }
    dlw_lock_release(&dlw_graph_lock);
}

static void tell(struct dlw_thread *self, const struct dlw_accusation *accusation)
{
    struct dlw_pending pending = DLW_PENDING_INIT(pending);
    struct dlw_thread *other = accusation->other ? dlw_thread_by_tid(accusation->other) : NULL;
    uint32_t other_id = other ? other->id : accusation->gone;
    struct dlw_held holding = {
        .lock = accusation->lock, .stack = accusation->other_stack, .mode = accusation->other_mode};
    struct dlw_thread_state states[2] = {
        {.thread = self->id,
         .on = accusation->lock,
         .stack = accusation->stack,
         .n_holds = other == self,
         .holds = &holding},
        {.thread = other_id, .n_holds = 1, .holds = &holding},
    };
    if (accusation->other_waits)
        states[1] = (struct dlw_thread_state){.thread = other_id,
                                              .waits = accusation->other_waits,
                                              .on = accusation->lock,
                                              .stack = accusation->other_stack};
    struct dlw_finding finding = {.kind = accusation->kind,
                                  .certain = true,
                                  .reason = accusation->reason,
                                  .n_threads = other_id && other_id != self->id ? 2 : 1,
                                  .threads = states};

    if (other)
        dlw_report_know_thread(other);
    if (!dlw_lock_acquire(&dlw_graph_lock))
        return;
    dlw_pending_finding_locked(&pending, &finding);
    dlw_lock_release(&dlw_graph_lock);
    dlw_report_pending(self, &pending);
}

static bool is_inherited(struct dlw_thread *self, uintptr_t lock)
{
    int index = dlw_held_find(self, (const void *)lock); /* NOLINT(performance-no-int-to-ptr) */

    return index >= 0 && (dlw_held_at(self, (uint32_t)index)->flags & DLW_HELD_INHERITED);
}

/* A forked child may let go of what threads of its parent held: atfork handlers do. */
static bool was_left_behind(uintptr_t lock)
{
    struct dlw_orphan gone;

    if (!dlw_orphan_find(lock, &gone) || !gone.in_parent)
        return false;
    dlw_orphan_forget(lock);
    return true;
}

/* ---- unlock ---- */

/*
 * From now on the mutex is a signal between threads and has no owner: its entry in the other
 * thread's record is denied by the mutex itself and dropped there.
 */
static const char reason_other[] = "another thread holds it";
static const char reason_nobody[] = "nobody holds it";

void dlw_misuse_unlock_before(struct dlw_thread *self, const struct dlw_lock_ref *ref,
                              const struct dlw_call *call, struct dlw_accusation *out)
{
    *out = (struct dlw_accusation){0};
    if (self->resync || was_left_behind(ref->address))
        return;
    dlw_guard_enter(self);
    uint32_t holder = who_holds(ref->address, &out->other_mode);
    bool other_says_so = false;
    if (ref->kind == DLW_LOCK_MUTEX) {
        uint32_t owner = dlw_mutex_owner_at(ref->address);
        const pthread_mutex_t *mutex = (const void *)ref->address; /* NOLINT */
        other_says_so = owner == 0 ? dlw_mutex_held_word(mutex, dlw_mutex_kind(mutex)) == 0
                                   : owner != tid_of(self) && owner == holder;
    } else if (ref->kind == DLW_LOCK_SPIN) {
        /* A spin lock's word names no owner: the record of another thread must show that it holds
         * the lock. */
        bool is_locked = dlw_spin_is_locked((const void *)ref->address); /* NOLINT */
        holder = is_locked ? holder : 0;
        other_says_so = holder || !is_locked;
    } else if (ref->kind == DLW_LOCK_RWLOCK) {
        const pthread_rwlock_t *rwlock = (const void *)ref->address; /* NOLINT */
        uint32_t writer = dlw_rwlock_writer(rwlock);
        other_says_so = writer ? writer != tid_of(self) && writer == holder
                               : dlw_rwlock_readers(rwlock) == 0 || holder != 0;
    }
    if (other_says_so) {
        out->other = holder;
        note(self, ref, DLW_UNLOCK_NOT_OWNER, call, holder ? reason_other : reason_nobody, out);
    }
    dlw_guard_leave(self);
}

void dlw_misuse_unlock_custom_before(struct dlw_thread *self, const struct dlw_lock_ref *ref,
                                     bool is_locked, const struct dlw_call *call,
                                     struct dlw_accusation *out)
{
    *out = (struct dlw_accusation){0};
    if (self->resync || was_left_behind(ref->address))
        return;
    dlw_guard_enter(self);
    uint32_t holder = who_holds(ref->address, &out->other_mode);
    out->other = is_locked ? holder : 0;
    if (holder || !is_locked)
        note(self, ref, DLW_UNLOCK_NOT_OWNER, call, is_locked ? reason_other : reason_nobody, out);
    dlw_guard_leave(self);
}

void dlw_misuse_unlock_after(struct dlw_thread *self, const struct dlw_accusation *accusation,
                             int result)
{
    if (!accusation->is_made || (result != 0 && result != EPERM))
        return;
    dlw_guard_enter(self);
    tell(self, accusation);
    dlw_guard_leave(self);
}

void dlw_misuse_handed_over(struct dlw_thread *self, const struct dlw_accusation *accusation)
{
    dlw_guard_enter(self);
    tell(self, accusation);
    if (accusation->other) {
        dlw_lock_becomes_signal(&accusation->ref);
        dlw_held_disown_everywhere(accusation->ref.address);
    }
    dlw_guard_leave(self);
}

/* ---- destroy ---- */

void dlw_misuse_destroy_before(struct dlw_thread *self, const struct dlw_lock_ref *ref,
                               bool looks_locked, const struct dlw_call *call,
                               struct dlw_accusation *out)
{
    *out = (struct dlw_accusation){0};
    if (!looks_locked || self->resync || was_left_behind(ref->address) ||
        is_inherited(self, ref->address))
        return;
    dlw_guard_enter(self);
    out->other = who_holds(ref->address, &out->other_mode);
    if (out->other)
        note(self, ref, DLW_DESTROY_LOCKED, call,
             out->other == tid_of(self) ? "the thread that destroys it holds it itself"
                                        : reason_other,
             out);
    dlw_guard_leave(self);
}

void dlw_misuse_destroy_after(struct dlw_thread *self, const struct dlw_lock_ref *ref,
                              const struct dlw_accusation *accusation, int result)
{
    dlw_guard_enter(self);
    if (accusation->is_made && (result == 0 || result == EBUSY))
        tell(self, accusation);
    if (result == 0) {
        int index = dlw_held_find(self, (const void *)ref->address); /* NOLINT */
        if (index >= 0)
            dlw_held_pop(self, (uint32_t)index);
        dlw_lock_reborn(ref, 0);
    }
    dlw_guard_leave(self);
}

/* ---- a condition or a barrier is destroyed ---- */

struct waiters {
    uintptr_t object;
    size_t size;
    uint8_t kind; /* enum dlw_wait_kind: what they do there */
    unsigned n;   /* of this process, in whatever state */
    struct dlw_thread *sleeper;
    uint64_t sequence;
};

/* Neither cancelled nor signalled: each of these changes the word that it sleeps on before it wakes
 * it, or takes it from its sleep. */
static bool sleeps_on(const struct dlw_thread *thread, const struct waiters *waiters)
{
    return !atomic_load_explicit(&thread->is_cancelled, memory_order_relaxed) &&
           dlw_proc_sleeps_on(tid_of(thread), waiters->object, waiters->object + waiters->size);
}

static bool visit_waiter_of(void *context, struct dlw_thread *thread)
{
    struct waiters *waiters = context;
    uint64_t sequence = atomic_load_explicit(&thread->wait.sequence, memory_order_seq_cst);

    if (!(sequence & 1) ||
        atomic_load_explicit(&thread->wait.kind, memory_order_relaxed) != waiters->kind ||
        atomic_load_explicit(&thread->wait.on, memory_order_relaxed) != waiters->object)
        return true;
    waiters->n++;
    if (!waiters->sleeper && sleeps_on(thread, waiters)) {
        waiters->sleeper = thread;
        waiters->sequence = sequence;
    }
    return true;
}

/* There are more than this process has, and one of its parent's had begun to wait. */
static bool has_waiter_in_parent(const struct waiters *waiters, struct dlw_orphan *gone)
{
    const pthread_cond_t *condition = (const void *)waiters->object; /* NOLINT */

    return waiters->kind == DLW_WAIT_CONDITION && dlw_orphan_find(waiters->object, gone) &&
           gone->kind == DLW_LOCK_CONDITION && gone->in_parent &&
           dlw_condition_waiters(condition) > waiters->n && !dlw_proc_is_shared(waiters->object);
}

/* False: it has left, so it was not asleep for good. */
static bool accuse_of_sleeper(const struct waiters *waiters, struct dlw_accusation *out)
{
    out->other_waits = waiters->kind;
    out->other = tid_of(waiters->sleeper);
    out->other_stack = dlw_stack_of_waiting(waiters->sleeper, waiters->sequence);
    return out->other_stack != 0;
}

static void accuse_of_waiters(struct dlw_thread *self, const struct dlw_lock_ref *ref,
                              const struct dlw_call *call, const struct waiters *waiters)
{
    struct dlw_accusation accusation = {.other_waits = waiters->kind};
    struct dlw_orphan gone;
    const char *reason = "a thread waits for it";

    if (waiters->sleeper) {
        if (!accuse_of_sleeper(waiters, &accusation))
            return;
    } else if (has_waiter_in_parent(waiters, &gone)) {
        reason = "a thread that waits for it stayed in the parent of the fork";
        accusation.gone = gone.thread;
        accusation.other_stack = gone.stack;
    } else {
        return;
    }
    note(self, ref, DLW_DESTROY_LOCKED, call, reason, &accusation);
    tell(self, &accusation);
}

static void look_for_waiters(struct dlw_thread *self, const struct dlw_lock_ref *ref,
                             const struct dlw_call *call)
{
    bool is_barrier = ref->kind == DLW_LOCK_BARRIER;
    struct waiters waiters = {.object = ref->address,
                              .size =
                                  is_barrier ? sizeof(pthread_barrier_t) : sizeof(pthread_cond_t),
                              .kind = is_barrier ? DLW_WAIT_BARRIER : DLW_WAIT_CONDITION};

    if (atomic_load_explicit(&dlw_confined, memory_order_relaxed))
        return;
    dlw_guard_enter(self);
    dlw_threads_each(visit_waiter_of, &waiters);
    accuse_of_waiters(self, ref, call, &waiters);
    dlw_guard_leave(self);
}

void dlw_misuse_destroy_begin(struct dlw_thread *self, const struct dlw_lock_ref *ref,
                              const struct dlw_call *call)
{
    struct dlw_wait_for wait = {.on = ref->address,
                                .kind = DLW_WAIT_DESTROY,
                                .lock_kind = ref->kind,
                                .mode = DLW_EXCLUSIVE,
                                .call = *call};

    self->calls++;
    look_for_waiters(self, ref, call);
    dlw_wait_begin(self, &wait);
}

/* ---- a lock is initialised again ---- */

void dlw_misuse_init_before(struct dlw_thread *self, uintptr_t lock, unsigned kind, size_t size,
                            const struct dlw_call *call, struct dlw_accusation *out)
{
    struct waiters waiters = {.object = lock, .size = size, .kind = DLW_WAIT_LOCK};

    *out = (struct dlw_accusation){0};
    if (self->resync || atomic_load_explicit(&dlw_confined, memory_order_relaxed))
        return;
    dlw_guard_enter(self);
    dlw_threads_each(visit_waiter_of, &waiters);
    if (waiters.sleeper && accuse_of_sleeper(&waiters, out)) {
        struct dlw_lock_ref ref = dlw_lock_ref_at(lock, kind);
        note(self, &ref, DLW_DESTROY_LOCKED, call, "initialised again while a thread waits for it",
             out);
    }
    dlw_guard_leave(self);
}

void dlw_misuse_init_after(struct dlw_thread *self, const struct dlw_accusation *accusation,
                           int result)
{
    if (!accusation->is_made || result != 0)
        return;
    dlw_guard_enter(self);
    tell(self, accusation);
    dlw_guard_leave(self);
}

/* ---- condition wait ---- */

void dlw_misuse_wait_without(struct dlw_thread *self, const struct dlw_lock_ref *mutex,
                             const struct dlw_call *call)
{
    struct dlw_accusation accusation = {0};

    if (self->resync ||
        (mutex->kind == DLW_LOCK_MUTEX && dlw_mutex_owner_at(mutex->address) == tid_of(self)))
        return;
    dlw_guard_enter(self);
    accusation.other = who_holds(mutex->address, &accusation.other_mode);
    note(self, mutex, DLW_WAIT_WITHOUT_MUTEX, call,
         accusation.other ? "another thread holds the mutex" : "nobody holds the mutex",
         &accusation);
    tell(self, &accusation);
    dlw_guard_leave(self);
}

/* ---- a thread's end ---- */

static bool counts_at_exit(struct dlw_thread *self, const struct dlw_held_lock *held)
{
    uintptr_t lock = atomic_load_explicit(&held->lock, memory_order_relaxed);

    if (!dlw_held_is_there(held) ||
        (held->kind != DLW_LOCK_MUTEX && held->kind != DLW_LOCK_RWLOCK &&
         held->kind != DLW_LOCK_SPIN && held->kind != DLW_LOCK_CUSTOM) ||
        !dlw_held_is_owned(self, held))
        return false;
    return held->kind != DLW_LOCK_MUTEX ||
           !(dlw_mutex_kind((const pthread_mutex_t *)lock) & DLW_KIND_ROBUST); /* NOLINT */
}

/* The stack is gone by now; only what was noted when the lock was taken is left. */
static uint32_t stack_of_gone(struct dlw_thread *self, struct dlw_held_lock *held)
{
    struct dlw_walked none[1];
    struct dlw_live live = {.room = 1, .end = DLW_WALK_LOST, .frames = none};

    return dlw_stack_of_held(self, held, &live);
}

static void tell_exit(struct dlw_thread *self, struct dlw_held_lock *held, uint32_t stack)
{
    struct dlw_lock_ref ref = dlw_lock_ref_of(held);
    struct dlw_pending pending = DLW_PENDING_INIT(pending);
    struct dlw_held holding = {.stack = stack,
                               .mode = atomic_load_explicit(&held->mode, memory_order_relaxed)};
    struct dlw_thread_state state = {.thread = self->id,
                                     .stack = self->exit_stack ? self->exit_stack : self->start,
                                     .n_holds = 1,
                                     .holds = &holding};
    struct dlw_finding finding = {
        .kind = DLW_EXIT_HOLDING_LOCK, .certain = true, .n_threads = 1, .threads = &state};

    if (!dlw_lock_acquire_or_skip(&dlw_graph_lock))
        return;
    dlw_node node = dlw_lock_node_locked(&ref);
    state.on = holding.lock = node ? dlw_lock_tag_locked(node) : 0;
    if (node)
        dlw_lock_saw_stack_locked(node, stack);
    dlw_pending_finding_locked(&pending, &finding);
    dlw_lock_release(&dlw_graph_lock);
    dlw_report_pending(self, &pending);
}

/*
 * HotSpot's VM Thread ends at a safepoint: it keeps the lock that stops all threads of the JVM, so
 * that none of them runs on while the process ends (hotspot/share/runtime/vmThread.cpp). That is no
 * mistake, and whoever still comes to the lock is not to be told that it waits in vain.
 */
static bool is_meant(const struct dlw_thread *self)
{
    static const char library[] = "/libjvm.so";
    struct dlw_journal_frame frame;
    struct dlw_journal_module module;
    bool is_cut;

    if (strcmp(self->name, "VM Thread") != 0 ||
        dlw_stack_get(self->start, &frame, 1, &is_cut) != 1 ||
        !dlw_module_get(frame.module, &module) || !module.path)
        return false;
    size_t n = strlen(module.path);
    return n >= sizeof(library) - 1 &&
           strcmp(module.path + n - (sizeof(library) - 1), library) == 0;
}

/* Who waits for the lock, now or later, waits for ever. */
void dlw_misuse_exit_holding(struct dlw_thread *self)
{
    uint32_t depth = dlw_held_depth(self);

    if (is_meant(self))
        return;
    for (uint32_t i = 0; i < depth; i++) {
        struct dlw_held_lock *held = dlw_held_at(self, i);
        if (!counts_at_exit(self, held))
            continue;
        uintptr_t lock = atomic_load_explicit(&held->lock, memory_order_relaxed);
        struct dlw_orphan gone = {.lock = lock,
                                  .tid = tid_of(self),
                                  .thread = self->id,
                                  .stack = stack_of_gone(self, held),
                                  .kind = held->kind,
                                  .mode = atomic_load_explicit(&held->mode, memory_order_relaxed),
                                  .in_parent = false};
        dlw_orphan_note(&gone);
        tell_exit(self, held, gone.stack);
        dlw_wait_look_waiters(self, lock);
    }
}
