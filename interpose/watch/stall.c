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
#include "interpose/threads/held.h"
#include "interpose/threads/joinable.h"
#include "interpose/watch/live_view.h"
#include "interpose/watch/misuse.h"
#include "interpose/watch/quiescence.h"
#include "interpose/watch/wait.h"

#include <string.h>

static const uint64_t SECOND = 1000000000; /* ns */
/*
 * Well behind the scheduler's next tick, so that the timer of a wait that is over at once need not
 * be the one that the clock is set to: in a virtual machine that takes 2 us. In ns.
 */
enum { FIRST_LOOK = 20000000 };

static void look_fresh(struct dlw_thread *self);

/* A thread seen running; a hint, checked before it is believed. */
static struct dlw_thread *_Atomic running;

static bool waits_for_ever(const struct dlw_thread *thread)
{
    return (atomic_load_explicit(&thread->wait.sequence, memory_order_seq_cst) & 1) &&
           !dlw_thread_wait_ends(thread,
                                 atomic_load_explicit(&thread->wait.kind, memory_order_relaxed));
}

static bool is_alive(const struct dlw_thread *thread)
{
    return atomic_load_explicit(&thread->tid, memory_order_relaxed) != 0;
}

struct scan {
    struct dlw_thread *self;
    bool all;
    bool any_woken;
    uint64_t motion;
    uint32_t n;
};

/*
 * Signals under a mutex reach whoever gave that mutex up for the condition before: it took the
 * mutex's release to begin that wait in libc. Between the signal and now no wait may have begun,
 * since that could be the one that was woken.
 */
void dlw_stall_signals(struct dlw_thread *self, const void *condition)
{
    uint32_t depth = dlw_held_depth(self);

    self->signalled.condition = depth ? (uintptr_t)condition : 0;
    if (depth == 0)
        return;
    self->signalled.under =
        atomic_load_explicit(&dlw_held_at(self, depth - 1)->lock, memory_order_relaxed);
    /* Pairs with the increment in dlw_wait_begin. */
    self->signalled.after = atomic_load_explicit(&dlw_waits_begun, memory_order_seq_cst);
}

/* Held twice, a recursive mutex is not given up. */
static bool gives_up(struct dlw_thread *self, uintptr_t mutex)
{
    return mutex == atomic_load_explicit(&self->wait.relocks, memory_order_relaxed) &&
           self->gave_up && dlw_held_find(self, (const void *)mutex) < 0; /* NOLINT */
}

static bool is_woken_by(struct dlw_thread *self, const struct dlw_thread *thread)
{
    uintptr_t on = atomic_load_explicit(&thread->wait.on, memory_order_relaxed);
    unsigned kind = atomic_load_explicit(&thread->wait.kind, memory_order_relaxed);

    if (kind == DLW_WAIT_LOCK)
        return gives_up(self, on);
    return kind == DLW_WAIT_CONDITION && on == self->signalled.condition &&
           self->signalled.after == self->began &&
           self->signalled.under ==
               atomic_load_explicit(&thread->wait.relocks, memory_order_relaxed);
}

/* A thread that was created and has not run yet has no tid: it counts as running. */
static bool visit(void *context, struct dlw_thread *thread)
{
    struct scan *scan = context;

    scan->n++;
    scan->motion = scan->motion * 31 +
                   atomic_load_explicit(&thread->wait.sequence, memory_order_seq_cst) + thread->id;
    if (thread == scan->self)
        return true;
    if (waits_for_ever(thread)) {
        scan->any_woken |= is_woken_by(scan->self, thread);
        return true;
    }
    atomic_store_explicit(&running, thread, memory_order_relaxed);
    scan->all = false;
    return false;
}

/* A signal handler may end or fork the process in these waits: the guard says that a lock is held.
 */
static struct scan scan_all(struct dlw_thread *self)
{
    struct scan scan = {.self = self, .all = true};

    dlw_guard_enter(self);
    dlw_threads_each(visit, &scan);
    dlw_guard_leave(self);
    return scan;
}

bool dlw_stall_suspected(struct dlw_thread *self)
{
    struct dlw_thread *hint = atomic_load_explicit(&running, memory_order_relaxed);

    if (hint && hint != self && is_alive(hint) && !waits_for_ever(hint))
        return false;
    bool closes = dlw_held_depth(self) > 0; /* it may close a cycle by this very wait */
    struct scan scan = scan_all(self);
    if (!scan.all || scan.any_woken || (closes && !dlw_world_is_blocked(self)))
        return false;
    self->suspected_at = atomic_load_explicit(&self->wait.since, memory_order_relaxed);
    self->look_after = closes ? 0 : FIRST_LOOK;
    if (closes)
        look_fresh(self);
    return true;
}

uint64_t dlw_stall_motion(struct dlw_thread *self)
{
    struct scan scan = scan_all(self);

    return scan.all ? scan.motion : 0;
}

bool dlw_stall_has_moved(struct dlw_thread *self, uint64_t then)
{
    return dlw_stall_motion(self) != then;
}

static uint64_t stall_at(const struct dlw_thread *self)
{
    return self->suspected_at + (uint64_t)dlw_options.stall_after * SECOND;
}

struct timespec dlw_stall_deadline(struct dlw_thread *self)
{
    uint64_t now = dlw_now();
    uint64_t at = stall_at(self);

    if (self->look_after) /* apart from others that look at the same time */
        at = now + self->look_after + self->id % 16 * (self->look_after / 16);
    else if (at <= now)
        at = now + (uint64_t)dlw_options.stall_after * SECOND + SECOND;
    return (struct timespec){(time_t)(at / SECOND), (long)(at % SECOND)};
}

void dlw_stall_watch(struct dlw_thread *self)
{
    struct timespec slice = {0, 50000};
    uint64_t motion;

    if (!dlw_stall_suspected(self))
        return;
    motion = dlw_stall_motion(self);
    while (motion && dlw_now() < stall_at(self)) {
        dlw_syscall(SYS_nanosleep, &slice, NULL);
        /* Another process may let go of what is shared with it. */
        if (dlw_stall_has_moved(self, motion) || !dlw_world_is_blocked(self))
            return;
        if (slice.tv_nsec < 10000000)
            slice.tv_nsec *= 2;
    }
    if (motion)
        dlw_stall_look(self);
}

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
    dlw_lock_acquire(&dlw_graph_lock);
    dlw_node node = dlw_lock_node_locked(&ref);
    uint64_t tag = node ? dlw_lock_tag_locked(node) : 0;
    dlw_lock_release(&dlw_graph_lock);
    return tag;
}

static void fill_holds(struct states *states, uint32_t i, struct dlw_held *holds)
{
    struct dlw_thread *thread = states->threads[i];
    struct dlw_held_lock *held = atomic_load_explicit(&thread->held, memory_order_acquire);
    uint32_t depth = atomic_load_explicit(&thread->depth, memory_order_relaxed);

    for (uint32_t k = 0; k < depth; k++) {
        uintptr_t lock = atomic_load_explicit(&held[k].lock, memory_order_relaxed);
        if (!dlw_held_is_there(&held[k]) || !dlw_held_is_owned(thread, &held[k]) ||
            states->out[i].n_holds == states->room_holds)
            continue;
        holds[states->out[i].n_holds++] =
            (struct dlw_held){.lock = tag_of(lock, held[k].kind),
                              .stack = hold_stack(states, i, &held[k]),
                              .mode = atomic_load_explicit(&held[k].mode, memory_order_relaxed)};
    }
    states->out[i].holds = holds;
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
        fill_holds(states, i, holds);
        holds += states->out[i].n_holds;
        dlw_sink_know_thread(thread);
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
    struct dlw_news news = DLW_NEWS_INIT(news);
    struct dlw_finding finding = {
        .kind = DLW_STALL, .certain = true, .n_threads = states->n, .threads = states->out};

    dlw_lock_acquire(&dlw_graph_lock);
    dlw_news_finding_locked(&news, &finding);
    dlw_lock_release(&dlw_graph_lock);
    dlw_sink_news(states->self, &news);
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
    struct dlw_news news = DLW_NEWS_INIT(news);
    uint64_t sum = sum_of(states);

    if (!dlw_options.report || !dlw_options.report[0] ||
        atomic_exchange_explicit(&last, sum, memory_order_relaxed) == sum)
        return;
    dlw_lock_acquire(&dlw_graph_lock);
    dlw_news_waits_locked(&news, states->out, states->n);
    dlw_lock_release(&dlw_graph_lock);
    dlw_sink_news(states->self, &news);
}

/* Every task known, and no handler that might post. That nothing is shared with other processes
 * the proof of sleep has seen (quiescence.c). */
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

/*
 * A cycle is certain as soon as everybody is seen asleep; a mere stall only after its time, since a
 * wake-up may be under way. Where the proof of sleep fails though nobody has moved (others look at
 * the same time, or have not come to rest yet), it is tried again before long, ever more seldom.
 */
static void look_again(struct dlw_thread *self)
{
    enum { FIRST = 10000000 };

    self->look_after = self->look_after ? self->look_after * 2 : FIRST;
    if (self->look_after > 60 * SECOND)
        self->look_after = 60 * SECOND;
}

static void look_fresh(struct dlw_thread *self)
{
    dlw_guard_enter(self);
    if (!self->is_dead && dlw_wait_look_all(self) == DLW_WAIT_UNPROVEN)
        look_again(self);
    dlw_guard_leave(self);
}

static void report_once(struct dlw_thread *self, uint64_t motion)
{
    static _Atomic uint64_t told; /* the motion at the last one: nobody has moved, nothing is new */

    if (dlw_now() >= stall_at(self) &&
        atomic_exchange_explicit(&told, motion, memory_order_relaxed) != motion)
        report_stall(self);
}

bool dlw_stall_look(struct dlw_thread *self)
{
    uint64_t motion;
    bool again = false;

    dlw_guard_enter(self);
    if (!self->is_dead && (motion = dlw_stall_motion(self)) != 0) {
        if (!dlw_asleep_soon_all(self)) {
            look_again(self);
            again = dlw_stall_motion(self) != 0;
        } else if (dlw_wait_look_all(self) != DLW_WAIT_TOLD) {
            self->look_after = 0;
            again = dlw_now() < stall_at(self);
            report_once(self, motion);
        }
    }
    if (!again) /* whoever goes on watching does so at leisure */
        self->look_after = 0;
    dlw_guard_leave(self);
    return again;
}
