/*
 * The topological order of the components, repaired edge by edge.
 *
 * A key is a level and a position in it. An edge from a lower key to a higher
 * one costs nothing. An end without other edges is simply put where it fits.
 * Otherwise a search backward inside the source's level, cut off after about
 * the square root of the number of edges, decides whether the target moves in
 * front of its level or up by one, and a search forward moves what must follow
 * (M. A. Bender, J. T. Fineman, S. Gilbert, R. E. Tarjan, "A New Approach to
 * Incremental Cycle Detection and Related Problems", ACM TALG 12(2), 2015,
 * section 2: m edges cost O(m * sqrt(m)) in all).
 *
 * Both searches only collect; keys are written when no cycle was met, so a
 * search that runs out of memory or meets one leaves the order as it was.
 */
#include "graph/order/private.h"

enum { LEAST_CUT = 64, BACKWARD = 1, FORWARD = 2 };

static const uint64_t middle = 1ULL << (KEY_POSITION_BITS - 1);
static const uint64_t highest_level = (1ULL << (64 - KEY_POSITION_BITS)) - 1;

static uint64_t level_of(uint64_t key)
{
    return key >> KEY_POSITION_BITS;
}

static uint64_t key_of(const struct dlw_order *order, dlw_node rep)
{
    return node_at(order, rep)->key;
}

static uint64_t make_key(uint64_t level, uint64_t position)
{
    return level << KEY_POSITION_BITS | position;
}

struct visit *dlw_order_visit_add(struct dlw_order *order, dlw_node id, uint32_t value)
{
    struct visits *visits = &order->visits;

    if (!dlw_array_fit(order->arena, visits->list, visits->room, visits->n + 1))
        return NULL;
    node_at(order, id)->mark = visits->n;
    visits->list[visits->n] = (struct visit){id, value};
    return &visits->list[visits->n++];
}

/* Positions left on both sides for one more edge; the rebuild makes new ones. */
static bool has_positions(const struct dlw_order *order)
{
    uint64_t nodes = order->nodes.live;

    return order->front > nodes && order->back < 2 * middle - 1 - nodes;
}

void dlw_topology_place_new(struct dlw_order *order, dlw_node id)
{
    if (order->front == 0)
        order->front = order->back = middle;
    if (order->back < 2 * middle - 1)
        order->back++;
    node_at(order, id)->key = make_key(0, order->back);
}

/* Puts an end that has no other edge on that side next to the other end's level. */
static bool place_loose_end(struct dlw_order *order, dlw_node from, dlw_node to)
{
    struct node *source = node_at(order, from);
    struct node *target = node_at(order, to);

    if (target->next_member == to && !target->out) {
        target->key = make_key(level_of(source->key), ++order->back);
        return true;
    }
    if (source->next_member == from && !source->in) {
        source->key = make_key(level_of(target->key), --order->front);
        return true;
    }
    return false;
}

struct search {
    struct dlw_order *order;
    uint64_t level; /* backward: stay in it; forward: go below it */
    dlw_node goal;  /* meeting it is a cycle */
    uint32_t steps_left;
    uint32_t n_walks;
    uint32_t n_list;
};

enum outcome { COMPLETE, CUT, CYCLE, NO_LEVEL, NO_MEMORY };

static bool enter(struct search *search, dlw_node rep, unsigned side)
{
    struct dlw_order *order = search->order;

    if (!dlw_array_fit(order->arena, order->walks, order->walks_room, search->n_walks + 1) ||
        !dlw_order_visit_add(order, rep, side))
        return false;
    order->walks[search->n_walks++] = dlw_component_walk(order, rep, side == FORWARD);
    return true;
}

static bool leave(struct search *search, dlw_node rep)
{
    struct dlw_order *order = search->order;

    if (!dlw_array_fit(order->arena, order->list, order->list_room, search->n_list + 1))
        return false;
    order->list[search->n_list++] = rep;
    return true;
}

/* Depth-first; finished components are appended to the list, so predecessors come first backward
 * and successors first forward. */
static enum outcome explore(struct search *search, dlw_node start, unsigned side)
{
    struct dlw_order *order = search->order;

    if (!enter(search, start, side))
        return NO_MEMORY;
    while (search->n_walks) {
        struct walk *walk = &order->walks[search->n_walks - 1];
        uint32_t id = dlw_component_next_edge(order, walk, side == FORWARD);
        if (!id) {
            dlw_node done = walk->rep;
            search->n_walks--;
            if (!leave(search, done))
                return NO_MEMORY;
            continue;
        }
        if (search->steps_left-- == 0)
            return CUT;
        const struct edge *edge = edge_at(order, id);
        dlw_node rep = rep_of(order, side == FORWARD ? edge->to : edge->from);
        const struct visit *visit = visit_of(order, rep);
        if (rep == search->goal || (visit && visit->value != side))
            return CYCLE;
        uint64_t level = level_of(key_of(order, rep));
        bool is_inside = side == FORWARD ? level < search->level : level == search->level;
        if (!visit && is_inside && !enter(search, rep, side))
            return NO_MEMORY;
    }
    return COMPLETE;
}

static uint32_t cut_after(const struct dlw_order *order)
{
    uint32_t edges = dlw_pool_count(&order->edges);
    uint32_t root = LEAST_CUT;

    while (root < edges / root)
        root += root / 4;
    return root;
}

/* Everything found goes to the front of its level, the backward part before the forward part. */
static void write_keys(struct dlw_order *order, uint64_t level, uint32_t n_backward, uint32_t n)
{
    for (uint32_t i = n_backward; i < n; i++)
        node_at(order, order->list[i])->key = make_key(level, --order->front);
    for (uint32_t i = n_backward; i-- > 0;) {
        struct node *node = node_at(order, order->list[i]);
        node->key = make_key(level_of(node->key), --order->front);
    }
}

static enum outcome repair(struct dlw_order *order, dlw_node from, dlw_node to)
{
    struct search search = {order, level_of(key_of(order, from)), to, cut_after(order), 0, 0};
    uint64_t level = search.level;

    order->visits.n = 0;
    enum outcome outcome = explore(&search, from, BACKWARD);
    if (outcome > CUT)
        return outcome;
    if (outcome == CUT) {
        if (level == highest_level)
            return NO_LEVEL;
        level++;
        order->visits.n = 0;
        search.n_list = search.n_walks = 0;
    }
    uint32_t n_backward = search.n_list;
    if (level_of(key_of(order, to)) < level) {
        search.level = level;
        search.goal = from;
        search.steps_left = UINT32_MAX;
        outcome = explore(&search, to, FORWARD);
        if (outcome > CUT)
            return outcome;
    }
    write_keys(order, level, n_backward, search.n_list);
    return COMPLETE;
}

static enum outcome add(struct dlw_order *order, dlw_node from_node, dlw_node to_node)
{
    dlw_node from = rep_of(order, from_node);
    dlw_node to = rep_of(order, to_node);

    if (from == to || key_of(order, from) < key_of(order, to))
        return COMPLETE;
    if (!has_positions(order))
        return NO_LEVEL;
    if (place_loose_end(order, from, to))
        return COMPLETE;
    enum outcome outcome = repair(order, from, to);
    if (outcome == CYCLE)
        outcome = dlw_component_merge(order, from, to) ? COMPLETE : NO_MEMORY;
    return outcome;
}

bool dlw_topology_add(struct dlw_order *order, dlw_node from, dlw_node to)
{
    enum outcome outcome = add(order, from, to);

    if (outcome == NO_LEVEL && dlw_component_rebuild(order))
        outcome = add(order, from, to);
    return outcome == COMPLETE;
}
