/*
 * The steps of a path, and which pieces of evidence can stand together in one cycle: by other
 * threads, under no common gate, not ordered by create and join, and each keeping the one before it
 * out.
 *
 * What the steps chosen so far hold is counted at the locks, so a candidate's
 * gates are checked in the length of its own chain.
 */
#include "graph/order/search.h"

/* NULL, and has_failed, when memory is out. */
struct info *dlw_search_info_make(struct search *search, dlw_node node)
{
    struct dlw_order *order = search->order;
    struct info *info = dlw_search_info(search, node);

    if (info)
        return info;
    if (!dlw_array_fit(order->arena, search->infos, search->infos_room, order->visits.n + 1) ||
        !dlw_order_visit_add(order, node, 0)) {
        search->has_failed = true;
        return NULL;
    }
    info = &search->infos[order->visits.n - 1];
    *info = (struct info){.distance = UNREACHED}; /* NOLINT(clang-analyzer-core.*): they fit */
    return info;
}
static void count_chain(struct search *search, dlw_chain id, uint32_t by)
{
    for (; id; id = chain_of(search->order, id).parent) {
        const struct chain chain = chain_of(search->order, id);
        struct info *info = dlw_search_info_make(search, chain.node);
        if (!info)
            return;
        if (chain.mode == DLW_SHARED)
            info->shared += by;
        else
            info->exclusive += by;
    }
}

static void count_step(struct search *search, const struct step *step, uint32_t by)
{
    count_chain(search, evidence_at(search->order, step->piece)->chain, by);
}

/* Does a step chosen before hold one of these too, not both shared? Or have those steps all units
 * of a pool? */
static bool shares_gate(struct search *search, dlw_chain id)
{
    for (; id; id = chain_of(search->order, id).parent) {
        const struct chain chain = chain_of(search->order, id);
        const struct info *info = dlw_search_info(search, chain.node);
        uint32_t units = node_at(search->order, chain.node)->units;
        if (info && (info->exclusive || (info->shared && chain.mode == DLW_EXCLUSIVE)))
            return true;
        if (info && units && info->shared >= units)
            return true;
    }
    return false;
}

static bool is_other_thread(const struct search *search, uint32_t thread)
{
    const struct dlw_order *order = search->order;

    for (uint32_t i = 0; i < search->n_steps; i++) {
        if (thread_of(order, evidence_at(order, search->steps[i].piece)) == thread)
            return false;
    }
    return true;
}

static bool is_unordered(const struct search *search, dlw_segment segment)
{
    const struct dlw_order *order = search->order;

    for (uint32_t i = 0; i < search->n_steps; i++) {
        dlw_segment other = segment_of(evidence_at(order, search->steps[i].piece));
        if (search->kind == TOLD_APART && dlw_life_is_other_scope(order->life, other, segment))
            continue;
        if (dlw_life_is_before(order->life, other, segment) ||
            dlw_life_is_before(order->life, segment, other))
            return false;
    }
    return true;
}

/* Can `step` stand beside the ones chosen? */
static bool fits(struct search *search, const struct step *step)
{
    const struct evidence *piece = evidence_at(search->order, step->piece);
    uint32_t n = search->n_steps;

    return is_other_thread(search, thread_of(search->order, piece)) &&
           (n == 0 || dlw_cycle_excludes(search->order, &search->steps[n - 1], step)) &&
           !shares_gate(search, piece->chain) && is_unordered(search, segment_of(piece));
}

static bool dlw_search_push(struct search *search, const struct step *step)
{
    struct dlw_order *order = search->order;

    if (!dlw_array_fit(order->arena, search->steps, search->steps_room, search->n_steps + 1)) {
        search->has_failed = true;
        return false;
    }
    search->steps[search->n_steps++] = *step;
    count_step(search, step, 1);
    return true;
}

static void pop_step(struct search *search)
{
    search->n_steps--;
    count_step(search, &search->steps[search->n_steps], (uint32_t)-1);
}

/* The last step's thread asked on while it still held that step's source: one step, not two. */
static bool merge_step(struct search *search, struct frame *frame, const struct step *step)
{
    const struct dlw_order *order = search->order;
    const struct step last = search->steps[search->n_steps - 1];
    const struct evidence *piece = evidence_at(order, step->piece);

    if (thread_of(order, evidence_at(order, last.piece)) != thread_of(order, piece))
        return false;
    dlw_chain held = dlw_chains_find(order, piece->chain, last.source);
    if (!held)
        return false;
    struct step merged = {last.source, step->piece, last.hold_stack, chain_of(order, held).mode};
    pop_step(search);
    bool is_good = fits(search, &merged);
    frame->saved = last;
    frame->has_merged = is_good;
    return dlw_search_push(search, is_good ? &merged : &last) && is_good;
}

bool dlw_search_try(struct search *search, struct frame *frame)
{
    struct step step = dlw_cycle_step(search->order, frame->edge, frame->piece);

    frame->has_merged = false;
    return merge_step(search, frame, &step) ||
           (fits(search, &step) && dlw_search_push(search, &step));
}

void dlw_search_undo(struct search *search, struct frame *frame)
{
    pop_step(search);
    if (frame->has_merged)
        dlw_search_push(search, &frame->saved);
}

/*
 * The path has come to a lock that the new piece holds as well as its edge's
 * source: its thread holds it, wants the first edge's target, and the cycle is
 * closed here. This is the merge of steps across the seam.
 */
void dlw_search_seam(struct search *search, dlw_node node)
{
    struct step *first = &search->steps[0];
    const struct info *info = dlw_search_info(search, node);
    const struct step saved = *first;

    if (!info || !info->is_in_first || first->piece != search->piece || search->n_steps < 2)
        return;
    const struct evidence *piece = evidence_at(search->order, first->piece);
    dlw_chain held = dlw_chains_find(search->order, piece->chain, node);
    *first = (struct step){node, saved.piece, 0, chain_of(search->order, held).mode};
    if (dlw_cycle_excludes(search->order, &search->steps[search->n_steps - 1], first))
        dlw_search_close(search);
    *first = saved;
}

/* The path is back at the lock where it began. */
void dlw_search_goal(struct search *search)
{
    if (search->n_steps > 1 &&
        dlw_cycle_excludes(search->order, &search->steps[search->n_steps - 1], &search->steps[0]))
        dlw_search_close(search);
}

static void mark_first(struct search *search)
{
    dlw_chain id = evidence_at(search->order, search->piece)->chain;

    for (; id && !search->has_failed; id = chain_of(search->order, id).parent) {
        struct info *info = dlw_search_info_make(search, chain_of(search->order, id).node);
        if (info)
            info->is_in_first = true;
    }
}

bool dlw_search_begin(struct search *search)
{
    struct step first = dlw_cycle_step(search->order, search->edge, search->piece);

    search->n_steps = search->n_frames = 0;
    search->has_closed = false;
    mark_first(search);
    return !search->has_failed && dlw_search_push(search, &first);
}
