#include "interpose/order/join_order.h"

#include "interpose/locks/ref.h"
#include "interpose/order/validate.h"
#include "interpose/stacks/capture.h"
#include "interpose/tell/pending.h"
#include "interpose/tell/reporter.h"
#include "interpose/threads/held.h"

static struct dlw_lock_ref end_of(const struct dlw_ended *ended)
{
    return (struct dlw_lock_ref){
        .address = dlw_lock_end_of(ended->id), .kind = DLW_LOCK_THREAD, .thread = ended->id};
}

/*
 * The lock that the caller holds is the one that was taken: the mark is the same, of an init call
 * or of an identity; where none can stand, nobody has moved in since. One that never had either
 * lies, if it is static, where nobody moves in.
 */
static bool is_same(const struct dlw_outermost *taken, const struct dlw_lock_ref *held)
{
    uint64_t mark = held->id ? atomic_load_explicit(held->id, memory_order_relaxed) : 0;

    if (!held->id && taken->id != 0 && taken->id == dlw_lock_id_of(held))
        return true;
    if (!held->id || taken->id == 0)
        return dlw_module_of(taken->lock) != 0;
    return mark == taken->id;
}

/* The caller holds what the thread had in hand when it ended (a robust mutex): since that end. */
static bool tells_of_the_end(struct dlw_thread *self, const struct dlw_was_taken *was)
{
    return was->is_kept && dlw_held_find(self, (const void *)was->taken.lock) >= 0; /* NOLINT */
}

/* Did the caller come to this hold by a wait for the condition that the thread signalled last? */
static bool was_woken_for(const struct dlw_thread *self, const struct dlw_held_lock *held,
                          const struct dlw_was_taken *was)
{
    return was->condition && self->woken.condition == was->condition &&
           self->woken.mutex == was->taken.lock && held->pc[0] == self->woken.pc;
}

static dlw_node node_if_held(struct dlw_thread *self, const struct dlw_was_taken *was)
{
    const struct dlw_outermost *taken = &was->taken;
    int index = dlw_held_find(self, (const void *)taken->lock); /* NOLINT */

    if (index < 0)
        return 0;
    struct dlw_lock_ref ref = dlw_lock_ref_of(dlw_held_at(self, (uint32_t)index));
    if (!is_same(taken, &ref))
        return 0;
    if (!dlw_lock_acquire_or_skip(&dlw_graph_lock))
        return 0;
    dlw_node node = dlw_lock_node_locked(&ref);
    if (node && was_woken_for(self, dlw_held_at(self, (uint32_t)index), was))
        self->parted_by = dlw_lock_tag_locked(node);
    dlw_lock_release(&dlw_graph_lock);
    return node;
}

struct candidate {
    dlw_node node; /* 0: none */
    uint64_t tag;
    uint32_t stack;
};

/* The locks that are surely those the thread took, and that could stand in a cycle: they have an
 * order already, or the caller holds them. */
static bool find_candidates(struct dlw_thread *self, const struct dlw_ended *ended,
                            struct candidate *out)
{
    bool any = false;

    for (uint32_t i = 0; i < ended->n; i++) {
        const struct dlw_outermost *taken = &ended->taken[i].taken;
        out[i] = (struct candidate){0};
        if (tells_of_the_end(self, &ended->taken[i]))
            continue;
        out[i].node = node_if_held(self, &ended->taken[i]);
        if (!dlw_lock_acquire_or_skip(&dlw_graph_lock))
            return false;
        if (!out[i].node)
            out[i].node = dlw_lock_of_mark_locked(taken->lock, taken->id);
        if (!out[i].node)
            out[i].node = dlw_lock_of_tenant_locked(taken->lock, taken->kind, taken->id);
        out[i].tag = out[i].node ? dlw_lock_tag_locked(out[i].node) : 0;
        dlw_lock_release(&dlw_graph_lock);
        out[i].stack = out[i].node ? dlw_stack_of_ended(taken->pc, taken->n) : 0;
        any |= out[i].node != 0;
    }
    return any;
}

static void on_learned(void *context, const struct dlw_order_ask *ask, uint32_t index)
{
    struct dlw_journal_edge edge = {
        .from = dlw_order_lock_of(dlw_order_graph, ask->held[index].node),
        .to = dlw_order_lock_of(dlw_order_graph, ask->want),
        .thread = ask->thread,
        .want = ask->stack,
        .to_mode = ask->mode,
    };

    dlw_lock_saw_stack_locked(ask->want, edge.want);
    if (dlw_report_counts_edge())
        dlw_pending_edge_locked(context, &edge);
}

/* The thread held its end from the start on, and took this. Called with the graph lock held. */
static void learn_taken_locked(const struct dlw_ended *ended, dlw_node end,
                               const struct dlw_was_taken *was, const struct candidate *candidate,
                               struct dlw_pending *pending)
{
    struct dlw_order_hold hold = {.node = end};
    struct dlw_order_sink sink = {pending, NULL, on_learned, NULL};
    struct dlw_order_ask ask = {.thread = ended->id,
                                .segment = was->segment ? was->segment : ended->segment,
                                .held = &hold,
                                .n_held = 1,
                                .want = candidate->node,
                                .mode = was->taken.mode,
                                .stack = candidate->stack};

    /* The lock may have been retired since, and its node given to another lock. */
    if (candidate->node && dlw_lock_lives_locked(candidate->tag))
        dlw_order_learn(dlw_order_graph, &ask, &sink);
}

static void learn_all(struct dlw_thread *self, const struct dlw_ended *ended,
                      const struct candidate *candidates)
{
    struct dlw_pending pending = DLW_PENDING_INIT(pending);
    struct dlw_lock_ref ref = end_of(ended);

    if (!dlw_lock_acquire_or_skip(&dlw_graph_lock))
        return;
    dlw_node end = dlw_lock_node_locked(&ref);
    for (uint32_t i = 0; end && i < ended->n; i++)
        learn_taken_locked(ended, end, &ended->taken[i], &candidates[i], &pending);
    dlw_generation_follow_locked();
    dlw_lock_release(&dlw_graph_lock);
    if (pending.first)
        dlw_report_pending(self, &pending);
}

static void forget_end(const struct dlw_ended *ended)
{
    struct dlw_lock_ref ref = end_of(ended);

    if (!dlw_lock_acquire(&dlw_graph_lock))
        return;
    dlw_node end = dlw_lock_known_locked(&ref);
    if (end)
        dlw_lock_retire_locked(end);
    dlw_lock_release(&dlw_graph_lock);
}

void dlw_join_order_learn(struct dlw_thread *self, const struct dlw_ended *ended, bool timed,
                          const struct dlw_call *call)
{
    struct dlw_lock_ref ref = end_of(ended);
    struct candidate candidates[DLW_TAKEN_MOST];

    self->parted_by = 0;
    if (!find_candidates(self, ended, candidates))
        return;
    dlw_report_know_ended(ended);
    learn_all(self, ended, candidates);
    dlw_validate_wanted(self, &ref, DLW_EXCLUSIVE, timed, call, false);
    forget_end(ended);
}
