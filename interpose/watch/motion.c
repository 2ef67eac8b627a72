#include "interpose/watch/motion.h"

#include "interpose/threads/held.h"

_Atomic uint64_t dlw_waits;
_Atomic uint32_t dlw_semaphore_waits;

static bool is_endless(const struct dlw_thread *self)
{
    return atomic_load_explicit(&self->wait.is_endless, memory_order_relaxed);
}

static bool may_be_in_cycle(struct dlw_thread *self)
{
    return is_endless(self) && dlw_held_depth(self) > 0 &&
           atomic_load_explicit(&self->wait.kind, memory_order_relaxed) == DLW_WAIT_SEMAPHORE;
}

uint64_t dlw_motion_falls_asleep(struct dlw_thread *self)
{
    self->counts_as_semaphore = may_be_in_cycle(self);
    if (self->counts_as_semaphore)
        atomic_fetch_add_explicit(&dlw_semaphore_waits, 1, memory_order_relaxed);
    return atomic_fetch_add_explicit(&dlw_waits, DLW_WAITS_BEGUN + is_endless(self),
                                     memory_order_seq_cst) /
           DLW_WAITS_BEGUN;
}

void dlw_motion_wakes(struct dlw_thread *self)
{
    if (self->counts_as_semaphore)
        atomic_fetch_sub_explicit(&dlw_semaphore_waits, 1, memory_order_relaxed);
    if (is_endless(self))
        atomic_fetch_sub_explicit(&dlw_waits, 1, memory_order_seq_cst);
}

bool dlw_motion_all_wait(void)
{
    uint64_t waiting = atomic_load_explicit(&dlw_waits, memory_order_seq_cst) % DLW_WAITS_BEGUN;

    return waiting >= dlw_threads_alive();
}

/* ---- who is certainly awake ---- */

/*
 * Signals under a mutex reach whoever gave that mutex up for the condition before: it took the
 * mutex's release to begin that wait in libc. A post stays until somebody takes it. Between the
 * signal and now no wait may have begun, since that could be the one that was woken.
 */
void dlw_motion_signals(struct dlw_thread *self, const void *object)
{
    uint32_t depth = dlw_held_depth(self);

    self->signalled.object = (uintptr_t)object;
    self->signalled.under =
        depth ? atomic_load_explicit(&dlw_held_at(self, depth - 1)->lock, memory_order_relaxed) : 0;
    self->signalled.after = dlw_motion_waits_begun();
}

/* A recursive mutex that is held twice is not given up by a condition wait. */
static bool gives_up(struct dlw_thread *self, uintptr_t mutex)
{
    return mutex == atomic_load_explicit(&self->wait.relocks, memory_order_relaxed) &&
           self->gave_up && dlw_held_find(self, (const void *)mutex) < 0; /* NOLINT */
}

static bool is_signalled_by(const struct dlw_thread *self, const struct dlw_thread *thread,
                            uintptr_t on, unsigned kind)
{
    if (on != self->signalled.object || self->signalled.after != self->began)
        return false;
    if (kind == DLW_WAIT_SEMAPHORE)
        return true;
    uintptr_t mutex = atomic_load_explicit(&thread->wait.relocks, memory_order_relaxed);
    return kind == DLW_WAIT_CONDITION && mutex && mutex == self->signalled.under;
}

static bool is_woken(struct dlw_thread *self, const struct dlw_thread *thread)
{
    uintptr_t on = atomic_load_explicit(&thread->wait.on, memory_order_relaxed);
    unsigned kind = atomic_load_explicit(&thread->wait.kind, memory_order_relaxed);
    const _Atomic bool *is_over = atomic_load_explicit(&thread->wait.is_over, memory_order_relaxed);

    if (is_over && atomic_load_explicit(is_over, memory_order_relaxed))
        return true;
    return kind == DLW_WAIT_LOCK ? gives_up(self, on) : is_signalled_by(self, thread, on, kind);
}

static bool is_woken_waiter(struct dlw_thread *self, const struct dlw_thread *thread)
{
    return thread != self &&
           (atomic_load_explicit(&thread->wait.sequence, memory_order_seq_cst) & 1) &&
           is_woken(self, thread);
}

static bool visit_woken(void *context, struct dlw_thread *thread)
{
    struct dlw_thread *self = context;

    if (!is_woken_waiter(self, thread))
        return true;
    self->woke_last = thread;
    return false;
}

/* The guard says that a lock is held: a signal handler may end or fork the process meanwhile. */
static void visit_all(struct dlw_thread *self, bool (*visit)(void *, struct dlw_thread *),
                      void *context)
{
    if (self)
        dlw_guard_enter(self);
    dlw_threads_each(visit, context);
    if (self)
        dlw_guard_leave(self);
}

bool dlw_motion_any_woken(struct dlw_thread *self)
{
    if (self->woke_last && is_woken_waiter(self, self->woke_last))
        return true;
    self->woke_last = NULL;
    visit_all(self, visit_woken, self);
    return self->woke_last != NULL;
}

/* ---- a visit of all ---- */

struct scan {
    struct dlw_thread *self;
    struct dlw_motion motion;
    uint64_t sentry_since;
    bool sentry_joins;
};

static bool waits_for_ever(const struct dlw_thread *thread, uint64_t sequence)
{
    return (sequence & 1) && atomic_load_explicit(&thread->wait.is_endless, memory_order_relaxed) &&
           !dlw_thread_wait_ends(thread,
                                 atomic_load_explicit(&thread->wait.kind, memory_order_relaxed));
}

/*
 * An interrupted wait begins anew behind the others that wait for the same. Nobody else waits for
 * the thread that a join waits for; who has slept longest is the least likely to be woken soon.
 */
static void consider_as_sentry(struct scan *scan, struct dlw_thread *thread, uint64_t since)
{
    bool joins = atomic_load_explicit(&thread->wait.kind, memory_order_relaxed) == DLW_WAIT_JOIN;

    if (!atomic_load_explicit(&thread->wait.may_ring, memory_order_relaxed) ||
        (scan->motion.sentry &&
         (joins == scan->sentry_joins ? since >= scan->sentry_since : !joins)))
        return;
    scan->motion.sentry = thread;
    scan->sentry_since = since;
    scan->sentry_joins = joins;
}

/* A thread that was created and has not run yet waits for nothing: it counts as running. */
static bool visit(void *context, struct dlw_thread *thread)
{
    struct scan *scan = context;
    struct dlw_motion *motion = &scan->motion;
    uint64_t sequence = atomic_load_explicit(&thread->wait.sequence, memory_order_seq_cst);
    uint64_t since = atomic_load_explicit(&thread->wait.since, memory_order_relaxed);

    motion->sum = motion->sum * 31 + sequence + thread->id;
    if (thread != scan->self && !waits_for_ever(thread, sequence)) {
        motion->all = false;
        return false;
    }
    if (since > motion->since)
        motion->since = since;
    motion->any_semaphore |=
        atomic_load_explicit(&thread->wait.kind, memory_order_relaxed) == DLW_WAIT_SEMAPHORE &&
        atomic_load_explicit(&thread->depth, memory_order_relaxed) > 0;
    consider_as_sentry(scan, thread, since);
    return true;
}

struct dlw_motion dlw_motion_scan(struct dlw_thread *self)
{
    struct scan scan = {.self = self, .motion = {.all = true}};

    visit_all(self, visit, &scan);
    return scan.motion;
}

bool dlw_motion_is_none(struct dlw_thread *self, uint64_t sum)
{
    struct dlw_motion motion = dlw_motion_scan(self);

    return motion.all && motion.sum == sum;
}

void dlw_motion_after_fork(const struct dlw_thread *self)
{
    bool waits = (self->guard & DLW_GUARD_WAITING) != 0; /* in a handler during its wait */

    atomic_store_explicit(&dlw_waits, waits && is_endless(self), memory_order_seq_cst);
    atomic_store_explicit(&dlw_semaphore_waits, waits && self->counts_as_semaphore,
                          memory_order_relaxed);
}
