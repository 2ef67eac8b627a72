#include "interpose/order/validate.h"

#include "interpose/locks/annotation.h"
#include "interpose/locks/ref.h"
#include "interpose/order/chain_cache.h"
#include "interpose/order/deferred.h"
#include "interpose/order/doubt.h"
#include "interpose/order/held_chain.h"
#include "interpose/order/segments.h"
#include "interpose/python/gils.h"
#include "interpose/python/runtime.h"
#include "interpose/stacks/capture.h"
#include "interpose/tell/pending.h"
#include "interpose/tell/reporter.h"

#include <string.h>

enum { MOST_GATES = 64, WINDOW = DLW_HELD_WINDOW };

/* ---- one question ---- */

static bool is_pythons(const struct dlw_held_lock *held)
{
    return held->kind == DLW_LOCK_SEMAPHORE && dlw_python_takes_lock(held->pc[0]);
}

struct question {
    struct dlw_thread *self;
    const struct dlw_lock_ref *ref;
    const struct dlw_call *call;
    struct dlw_held_lock *entry; /* of the wanted lock when it is held already */
    uint32_t n_held;             /* entries below it */
    uint8_t mode;
    bool timed, quiet;
    bool drops_gil;                      /* before it waits */
    bool is_gated;                       /* the GIL, if it is held, is a gate here */
    dlw_chain gated;                     /* with it, a reference; 0: it is none */
    struct dlw_order_hold holds[WINDOW]; /* the innermost held, outermost first */
    uint32_t entry_of[WINDOW];           /* index in the held stack of each */
    struct dlw_order_ask ask;
    struct dlw_pending pending;
};

/* All but the window of held locks, whose part that is used is written before. */
static void begin(struct question *q, struct dlw_thread *self, const struct dlw_lock_ref *ref,
                  const struct dlw_call *call)
{
    q->self = self;
    q->ref = ref;
    q->call = call;
    q->entry = NULL;
    q->n_held = 0;
    q->mode = 0;
    q->timed = q->quiet = false;
    q->drops_gil = false;
    q->is_gated = false;
    q->gated = 0;
    q->ask = (struct dlw_order_ask){0};
    q->pending = (struct dlw_pending)DLW_PENDING_INIT(q->pending);
}

static uint64_t key_of(const struct question *q)
{
    uint64_t below = q->self->base;
    uint64_t id = dlw_lock_id_of(q->ref);

    for (uint32_t i = q->n_held; i-- > 0;) {
        struct dlw_held_lock *held = dlw_held_at(q->self, i);
        if (dlw_held_is_there(held)) {
            below = held->key;
            break;
        }
    }
    uint64_t key = dlw_key_mix(below, q->ref->address, id, q->mode);
    return key ^ (q->timed ? DLW_KEY_TIMED : 0) ^ (q->drops_gil ? DLW_KEY_TRIED : 0);
}

static void list_window(struct question *q)
{
    struct dlw_thread *self = q->self;
    uint32_t n = 0;

    for (uint32_t i = q->n_held; i-- > 0 && n < WINDOW;) {
        const struct dlw_held_lock *held = dlw_held_at(self, i);
        if (dlw_held_is_counted(held) && !(held->flags & DLW_HELD_MADE) &&
            held->node != q->ask.want && !dlw_held_chain_has_below(self, i) &&
            !(dlw_held_is_gil(held) && q->drops_gil))
            q->entry_of[WINDOW - ++n] = i;
    }
    memmove(q->entry_of, q->entry_of + (WINDOW - n), n * sizeof(q->entry_of[0]));
    for (uint32_t k = 0; k < n; k++) {
        const struct dlw_held_lock *held = dlw_held_at(self, q->entry_of[k]);
        q->holds[k] = (struct dlw_order_hold){
            .node = held->node,
            .stack = dlw_held_is_gil(held) ? q->ask.stack
                                           : held->stack, /* held where the thread stands */
            .mode = atomic_load_explicit(&held->mode, memory_order_relaxed),
            .intent = (uint8_t)dlw_annotation_intent_locked(
                atomic_load_explicit(&held->lock, memory_order_relaxed), q->ref->address)};
    }
    q->ask.n_held = n;
}

static const struct dlw_held_lock *held_gil(const struct question *q)
{
    for (uint32_t i = q->n_held; i-- > 0;) {
        const struct dlw_held_lock *held = dlw_held_at(q->self, i);
        if (dlw_held_is_gil(held) && dlw_held_is_counted(held))
            return held;
    }
    return NULL;
}

static void ungate_locked(struct question *q)
{
    dlw_order_chain_unref(dlw_order_graph, q->gated);
    q->gated = 0;
}

static bool gate_locked(struct question *q)
{
    const struct dlw_held_lock *gil = q->is_gated ? held_gil(q) : NULL;

    ungate_locked(q);
    if (!gil)
        return true;
    q->gated = dlw_order_chain_push(dlw_order_graph, q->ask.chain, gil->node, DLW_EXCLUSIVE);
    q->ask.chain = q->gated;
    return q->gated != 0;
}

static bool prepare_locked(struct question *q)
{
    struct dlw_thread *self = q->self;
    dlw_node want = dlw_lock_node_locked(q->ref);
    uint32_t window = q->n_held > WINDOW ? q->n_held - WINDOW : 0;
    uint32_t interned = (uint32_t)(dlw_held_chain_innermost(self, q->n_held) + 1);

    q->ask = (struct dlw_order_ask){.thread = self->id,
                                    .segment = self->segment,
                                    .held = q->holds,
                                    .want = want,
                                    .mode = q->mode,
                                    .timed = q->timed,
                                    .stack = q->ask.stack};
    if (!want ||
        !dlw_held_chain_resolve_locked(self, q->n_held, interned < window ? interned : window))
        return false;
    if (q->entry) {
        q->entry->node = want;
        q->entry->id = dlw_lock_id_of(q->ref);
    }
    if (!dlw_held_chain_intern_locked(self, q->n_held, &q->ask.chain) || !gate_locked(q))
        return false;
    list_window(q);
    return true;
}

/* ---- callbacks of the graph ---- */

static void tell_edge_locked(struct question *q, const struct dlw_order_ask *ask, uint32_t index)
{
    uint64_t gates[MOST_GATES];
    struct dlw_journal_edge edge = {
        .from = dlw_order_lock_of(dlw_order_graph, ask->held[index].node),
        .to = dlw_order_lock_of(dlw_order_graph, ask->want),
        .thread = ask->thread,
        .hold = ask->held[index].stack,
        .want = ask->stack,
        .from_mode = ask->held[index].mode,
        .to_mode = ask->mode,
        .timed = ask->timed,
        .intended = ask->held[index].intent != DLW_INTENT_NONE,
        .gates = gates,
        .scope = dlw_life_scope(dlw_life_graph, ask->segment),
    };

    for (uint32_t i = q->n_held; i-- > 0 && edge.n_gates < MOST_GATES;) {
        const struct dlw_held_lock *held = dlw_held_at(q->self, i);
        if (dlw_held_is_counted(held) && i != q->entry_of[index] && held->node &&
            !(dlw_held_is_gil(held) && !q->gated))
            gates[edge.n_gates++] = dlw_order_lock_of(dlw_order_graph, held->node);
    }
    dlw_pending_edge_locked(&q->pending, &edge);
}

_Atomic bool dlw_orders_are_known;

static void on_learned(void *context, const struct dlw_order_ask *ask, uint32_t index)
{
    atomic_store_explicit(&dlw_orders_are_known, true, memory_order_relaxed);
    dlw_lock_saw_stack_locked(ask->held[index].node, ask->held[index].stack);
    dlw_lock_saw_stack_locked(ask->want, ask->stack);
    if (dlw_report_counts_edge())
        tell_edge_locked(context, ask, index);
}

static void on_found(void *context, const struct dlw_finding *finding)
{
    struct question *q = context;
    struct dlw_finding copy = *finding;

    if (!copy.harmless && !copy.doubt)
        copy.doubt = (uint8_t)dlw_doubt_of_locked(q->self, &copy);
    if (copy.harmless) /* the word says it, and the command names the gate */
        copy.reason = NULL;
    else if (dlw_deferred_takes_locked(q->self, &copy, &q->pending))
        return;
    dlw_pending_finding_locked(&q->pending, &copy);
}

/* ---- the two steps ---- */

/* The stacks that new evidence needs: where the lock is asked for, and where those of the window
 * were taken. False: one was not to be had. */
static bool capture(struct question *q)
{
    DLW_LIVE_ON_STACK(live);

    dlw_live_walk(q->self, q->call, &live);
    q->ask.stack = dlw_stack_of_live(&live);
    bool is_whole = q->ask.stack != 0;
    for (uint32_t i = 0; i < q->ask.n_held && is_whole; i++)
        is_whole = dlw_stack_of_held(q->self, dlw_held_at(q->self, q->entry_of[i]), &live) != 0;
    return is_whole;
}

/* Beside the graph's verdicts: one of the library's own locks was not to be had. Nothing is
 * remembered then, and the next time is as the first. */
enum { GAVE_UP = 1 << 16 };

static void remember(struct question *q, unsigned verdict)
{
    uint64_t key = key_of(q);

    if (q->entry && !q->timed && !q->drops_gil)
        q->entry->key = key;
    if (!(verdict & DLW_ORDER_SATURATED))
        key ^= q->self->salt;
    if (q->ref->chain)
        atomic_store_explicit(q->ref->chain, key, memory_order_relaxed);
    dlw_chain_cache_put(q->self, key);
}

/*
 * The GIL keeps two threads apart only where one holding of it covers both takings: between any two
 * instructions of Python's it may be dropped. So whatever was taken under it must have been taken
 * in a native call that is still on. But not a lock of Python's: who asks for that has no GIL.
 */
static bool is_gated(const struct question *q)
{
    const struct dlw_held_lock *gil = q->drops_gil ? NULL : held_gil(q);

    if (!gil)
        return false;
    DLW_LIVE_ON_STACK(live);
    for (uint32_t i = q->n_held; i-- > 0 && dlw_held_at(q->self, i) != gil;) {
        const struct dlw_held_lock *held = dlw_held_at(q->self, i);
        if (!dlw_held_is_counted(held) || is_pythons(held))
            continue;
        if (live.n == 0)
            dlw_live_walk(q->self, q->call, &live);
        if (!dlw_stack_is_in_native_call(q->self, held, &live))
            return false;
    }
    return true;
}

static unsigned probe(struct question *q)
{
    unsigned verdict = DLW_ORDER_NO_MEMORY;

    if (!dlw_lock_acquire_or_skip(&dlw_graph_lock))
        return GAVE_UP;
    dlw_segments_settle_locked(q->self);
    uint32_t generation = atomic_load_explicit(&dlw_generation.value, memory_order_relaxed);
    if (q->self->generation != generation || q->self->base == 0) {
        dlw_chain_renew_base(q->self, generation, dlw_life_era(dlw_life_graph, q->self->segment));
        dlw_chain_renew_salt(q->self);
    }
    if (prepare_locked(q))
        verdict = q->ask.n_held ? dlw_order_probe(dlw_order_graph, &q->ask)
                                : DLW_ORDER_KNOWN | DLW_ORDER_SATURATED;
    ungate_locked(q);
    dlw_lock_release(&dlw_graph_lock);
    return verdict;
}

static unsigned learn(struct question *q)
{
    struct dlw_order_sink sink = {q, q->quiet ? NULL : on_found, on_learned, NULL};
    unsigned verdict = DLW_ORDER_NO_MEMORY;

    if (!dlw_lock_acquire_or_skip(&dlw_graph_lock))
        return GAVE_UP;
    /* The other side has seen the deadlock that this want closes, told it, and learned its own
     * edge: the order is no second mistake. */
    if (!q->entry && q->self->is_dead)
        sink.found = NULL;
    if (prepare_locked(q)) /* locks may have been retired meanwhile */
        verdict = dlw_order_learn(dlw_order_graph, &q->ask, &sink);
    ungate_locked(q);
    q->pending.bounds = dlw_pending_bounds_locked();
    dlw_generation_follow_locked();
    dlw_lock_release(&dlw_graph_lock);
    return verdict;
}

static void ask(struct question *q)
{
    q->is_gated = is_gated(q);
    unsigned verdict = probe(q);

    if (verdict & DLW_ORDER_NEWS) {
        /* As soon as the edge is learned another thread may close a cycle with it and tell it. */
        dlw_report_introduce(q->self);
        verdict = capture(q) ? learn(q) : GAVE_UP;
    }
    if (verdict & DLW_ORDER_NO_MEMORY)
        dlw_switch_off("out of memory");
    else if (verdict != GAVE_UP)
        remember(q, verdict);
    if (q->pending.first)
        dlw_report_pending(q->self, &q->pending);
}

/*
 * A lock of Python's that was never asked for under another leads nowhere from the GIL, and many
 * are made: the order from it to the GIL waits until it has an identity, which changes its key.
 */
static bool leads_to(const struct dlw_held_lock *held, const struct dlw_lock_ref *want)
{
    return want->kind != DLW_LOCK_GIL || held->kind != DLW_LOCK_SEMAPHORE ||
           !dlw_mark_is_created(held->id);
}

/* An interpreter ends with its GIL taken, by a thread that goes on without it. */
static void drop_ended_gils(struct dlw_thread *self, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        const struct dlw_held_lock *held = dlw_held_at(self, i);
        uintptr_t lock = atomic_load_explicit(&held->lock, memory_order_relaxed);
        if (dlw_held_is_gil(held) && dlw_held_is_lock(lock) && dlw_gil_is_over(lock))
            dlw_held_disown(self, lock);
    }
}

/* Is there an entry among the first `n` from which edges are learned? */
static bool is_ordered(struct dlw_thread *self, uint32_t n, const struct dlw_lock_ref *want,
                       bool drops_gil)
{
    drop_ended_gils(self, n);
    for (uint32_t i = n; i-- > 0;) {
        const struct dlw_held_lock *held = dlw_held_at(self, i);
        if (dlw_held_is_counted(held) && !(held->flags & DLW_HELD_MADE) && leads_to(held, want) &&
            !(dlw_held_is_gil(held) && drops_gil))
            return true;
    }
    return false;
}

bool dlw_validate_acquired(struct dlw_thread *self, struct dlw_held_lock *held,
                           const struct dlw_lock_ref *ref, const struct dlw_call *call)
{
    bool timed = held->flags & DLW_HELD_TIMED;
    uint64_t key = timed ? held->key ^ DLW_KEY_TIMED : held->key; /* asked for by the caller */

    if (timed && dlw_chain_is_cached(self, key, ref->chain))
        return true;
    if (!is_ordered(self, dlw_held_depth(self) - 1, ref, false))
        return false;
    struct question q;
    begin(&q, self, ref, call);
    q.entry = held;
    q.n_held = dlw_held_depth(self) - 1;
    q.mode = atomic_load_explicit(&held->mode, memory_order_relaxed);
    q.timed = timed;
    dlw_guard_enter(self);
    ask(&q);
    dlw_guard_leave(self);
    return true;
}

bool dlw_validate_was_tried(struct dlw_thread *self, const struct dlw_held_lock *held,
                            const struct dlw_lock_ref *ref)
{
    uint64_t key = held->key ^ DLW_KEY_TRIED;

    return dlw_validate_is_current(self, key, ref->chain) ||
           dlw_chain_is_cached(self, key, ref->chain);
}

void dlw_validate_tried(struct dlw_thread *self, struct dlw_held_lock *held,
                        const struct dlw_lock_ref *ref, const struct dlw_call *call)
{
    struct question q;

    begin(&q, self, ref, call);
    q.entry = held;
    q.n_held = dlw_held_depth(self) - 1;
    q.mode = atomic_load_explicit(&held->mode, memory_order_relaxed);
    q.drops_gil = true;
    if (!is_ordered(self, q.n_held, ref, true))
        return;
    dlw_guard_enter(self);
    ask(&q);
    dlw_guard_leave(self);
}

void dlw_validate_wanted(struct dlw_thread *self, const struct dlw_lock_ref *ref, unsigned mode,
                         bool timed, const struct dlw_call *call, bool quiet)
{
    struct question q;

    begin(&q, self, ref, call);
    q.n_held = dlw_held_depth(self);
    q.mode = (uint8_t)mode;
    q.timed = timed;
    q.quiet = quiet;
    if (!is_ordered(self, q.n_held, ref, false) ||
        dlw_chain_is_cached(self, key_of(&q), ref->chain))
        return;
    dlw_guard_enter(self);
    ask(&q);
    dlw_guard_leave(self);
}
