/*
 * Cycles of more than three through one new piece of evidence.
 *
 * Depth-first over edges and their evidence, by rising length, inside the
 * component (iterative deepening: R. Korf, "Depth-First Iterative-Deepening",
 * Artificial Intelligence 27, 1985). Exact distances to the goal, from a search
 * backward that goes only as far as needed, keep it on paths that can still
 * close in time, so a lone cycle of thousands is walked straight. Each length
 * is searched only for cycles of just that length: every path is seen once.
 *
 * Every edge and piece looked at is a step, and the steps are counted: of one
 * search, and of all those in a component (members.c). The stack is in the arena.
 */
#include "graph/order/search.h"

static void enqueue(struct search *search, dlw_node node, uint32_t distance)
{
    struct dlw_order *order = search->order;
    struct info *info = dlw_search_info_make(search, node);

    if (!info || info->distance != UNREACHED)
        return;
    if (!dlw_array_fit(order->arena, order->list, order->list_room, search->queue_tail + 1)) {
        search->has_failed = true;
        return;
    }
    info->distance = distance;
    order->list[search->queue_tail++] = node;
}

static void spread_one(struct search *search)
{
    struct dlw_order *order = search->order;
    dlw_node node = order->list[search->queue_head++];
    uint32_t distance = dlw_search_info(search, node)->distance;
    dlw_node rep = rep_of(order, node);

    for (uint32_t id = node_at(order, node)->in; id; id = edge_at(order, id)->next_in) {
        dlw_search_spend(search, 1);
        if (rep_of(order, edge_at(order, id)->from) == rep)
            enqueue(search, edge_at(order, id)->from, distance + 1);
    }
}

static bool has_more_to_spread(const struct search *search)
{
    return search->queue_head < search->queue_tail && search->budget && !search->has_failed;
}

/* Finds all distances up to `distance`. */
static void spread_to(struct search *search, uint32_t distance)
{
    while (has_more_to_spread(search) &&
           dlw_search_info(search, search->order->list[search->queue_head])->distance < distance)
        spread_one(search);
}

static uint32_t distance_of(struct search *search, dlw_node node)
{
    const struct info *info = dlw_search_info(search, node);

    return info ? info->distance : UNREACHED;
}

static bool enter(struct search *search, dlw_node node)
{
    struct dlw_order *order = search->order;
    struct info *info = dlw_search_info_make(search, node);

    if (!info ||
        !dlw_array_fit(order->arena, search->frames, search->frames_room, search->n_frames + 1)) {
        search->has_failed = true;
        return false;
    }
    info->is_on_path = true;
    search->frames[search->n_frames++] = (struct frame){.node = node};
    return true;
}

/* May the path go on over this edge and still close at the limit? */
static bool is_passable(struct search *search, const struct edge *edge)
{
    uint32_t left = search->limit - search->n_frames;

    if (edge->to == search->goal)
        return left == 0;
    if (rep_of(search->order, edge->to) != rep_of(search->order, search->goal))
        return false;
    const struct info *info = dlw_search_info(search, edge->to);
    if (info && info->is_on_path)
        return false;
    if (info && info->distance <= left)
        return true;
    if (has_more_to_spread(search) || (info && info->distance != UNREACHED))
        search->is_cut = true;
    return false;
}

/* The next piece of the frame's edge, or the first of its next passable one. */
static bool next_trial(struct search *search, struct frame *frame)
{
    struct dlw_order *order = search->order;

    if (frame->piece && (frame->piece = next_piece(order, frame->piece)))
        return true;
    frame->edge =
        frame->edge ? edge_at(order, frame->edge)->next_out : node_at(order, frame->node)->out;
    while (frame->edge && !is_passable(search, edge_at(order, frame->edge))) {
        dlw_search_spend(search, 1);
        frame->edge = edge_at(order, frame->edge)->next_out;
    }
    frame->piece = frame->edge ? edge_at(order, frame->edge)->evidence : 0;
    return frame->piece != 0;
}

/* With the frame's trial taken as a step: closes the cycle, or goes deeper. False when it stays. */
static bool follow(struct search *search, struct frame *frame)
{
    dlw_node to = edge_at(search->order, frame->edge)->to;

    if (to != search->goal) {
        dlw_search_seam(search, to);
        return enter(search, to);
    }
    dlw_search_goal(search);
    return false;
}

static void back_out(struct search *search)
{
    dlw_search_info(search, search->frames[--search->n_frames].node)->is_on_path = false;
    if (search->n_frames)
        dlw_search_undo(search, &search->frames[search->n_frames - 1]);
}

static bool is_spent(const struct search *search)
{
    return search->has_failed || search->budget == 0 || search->candidates->n >= MOST_CANDIDATES;
}

/* All cycles of `limit` edges after the first. */
static void search_length(struct search *search, dlw_node start)
{
    search->is_cut = false;
    if (!enter(search, start))
        return;
    while (search->n_frames && !is_spent(search)) {
        struct frame *frame = &search->frames[search->n_frames - 1];
        if (!next_trial(search, frame)) {
            back_out(search);
            continue;
        }
        dlw_search_spend(
            search,
            1 + chain_of(search->order, evidence_at(search->order, frame->piece)->chain).depth / 4);
        if (dlw_search_try(search, frame) && !follow(search, frame))
            dlw_search_undo(search, &search->frames[search->n_frames - 1]);
    }
}

/* Edges from the end of the new one back to its source, UNREACHED: there is no way. */
static uint32_t measure(struct search *search)
{
    dlw_node start = edge_at(search->order, search->edge)->to;

    search->order->visits.n = 0;
    search->queue_head = search->queue_tail = 0;
    enqueue(search, search->goal, 0);
    while (has_more_to_spread(search) && distance_of(search, start) == UNREACHED)
        spread_one(search);
    return search->has_failed ? UNREACHED : distance_of(search, start);
}

void dlw_search_longer(struct search *search)
{
    dlw_node start = edge_at(search->order, search->edge)->to;
    uint32_t allowed = dlw_members_steps(search->order, search->goal, true);

    search->budget = allowed;
    search->limit = measure(search);
    if (search->limit == UNREACHED) /* too far, or a component that has fallen apart */
        search->is_cut = search->budget == 0;
    if (search->limit < 3)
        search->limit = 3;
    if (search->budget && search->limit != UNREACHED && dlw_search_begin(search)) {
        dlw_search_info(search, search->goal)->is_on_path = true;
        do {
            spread_to(search, search->limit);
            search_length(search, start);
            search->limit++;
        } while (search->is_cut && !is_spent(search));
    }
    search->order->given_up += search->is_cut || is_spent(search);
    dlw_members_spend(search->order, search->goal, allowed - search->budget);
}

uint32_t *dlw_search_shortest(struct search *search, uint32_t *n)
{
    struct dlw_order *order = search->order;
    uint32_t allowed = search->budget = dlw_members_steps(order, search->goal, false);
    uint32_t way = measure(search);
    uint32_t id = search->edge;

    *n = 0;
    dlw_members_spend(order, search->goal, allowed - search->budget);
    uint32_t *edges =
        way == UNREACHED ? NULL : dlw_arena_alloc(order->arena, ((size_t)way + 1) * sizeof(*edges));
    if (!edges)
        return NULL;
    while ((edges[(*n)++] = id) && *n <= way) {
        id = node_at(order, edge_at(order, id)->to)->out;
        while (distance_of(search, edge_at(order, id)->to) != way - *n)
            id = edge_at(order, id)->next_out;
    }
    return edges;
}
