/*
 * Cycles of two and three through one new piece of evidence: by the edge back, and by each lock
 * that lies between the ends of the new edge. They have no budget, and none is missed.
 */
#include "graph/order/search.h"

void dlw_search_two(struct search *search, dlw_node at)
{
    struct frame last = {.edge = dlw_order_edge_find(search->order, at, search->goal)};

    last.piece = last.edge ? edge_at(search->order, last.edge)->evidence : 0;
    for (; last.piece && !search->has_closed; last.piece = next_piece(search->order, last.piece)) {
        if (!dlw_search_try(search, &last))
            continue;
        dlw_search_goal(search);
        dlw_search_undo(search, &last);
    }
}

static bool is_told_through(const struct search *search, dlw_node start, dlw_node middle)
{
    return dlw_reported_pair(search->order, start, middle, search->kind) ||
           dlw_reported_pair(search->order, middle, search->goal, search->kind);
}

/* By the edge `id` to a lock from which another goes to the goal. */
static void try_middle(struct search *search, uint32_t id)
{
    dlw_node middle = edge_at(search->order, id)->to;
    struct frame first = {.edge = id, .piece = edge_at(search->order, id)->evidence};

    if (is_told_through(search, edge_at(search->order, id)->from, middle))
        return;
    search->has_closed = false;
    for (; first.piece && !search->has_closed;
         first.piece = next_piece(search->order, first.piece)) {
        if (!dlw_search_try(search, &first))
            continue;
        dlw_search_seam(search, middle);
        dlw_search_two(search, middle);
        dlw_search_undo(search, &first);
    }
}

enum side { OUT, IN };

/* Walks the locks that lie between two: on the list of edges out of the one or on that of edges
 * into the other, or on both in turn, until one of them ends. */
struct between {
    dlw_node start, goal;
    uint32_t next[2]; /* by side */
    enum side turn;
    bool takes_turns;
};

static struct between between(const struct dlw_order *order, dlw_node start, dlw_node goal)
{
    return (struct between){
        start, goal, {node_at(order, start)->out, node_at(order, goal)->in}, OUT, true};
}

/* So that no lock is met twice. */
static void choose_shorter(const struct dlw_order *order, struct between *walk)
{
    uint32_t out = walk->next[OUT];
    uint32_t in = walk->next[IN];

    while (out && in) {
        out = edge_at(order, out)->next_out;
        in = edge_at(order, in)->next_in;
    }
    walk->turn = out ? IN : OUT;
    walk->takes_turns = false;
}

/* The edge from the start to the lock that this edge leads to or comes from; 0: none between. */
static uint32_t edge_between(const struct dlw_order *order, const struct between *walk, uint32_t id)
{
    dlw_node middle = walk->turn == OUT ? edge_at(order, id)->to : edge_at(order, id)->from;

    if (middle == walk->start || middle == walk->goal ||
        rep_of(order, middle) != rep_of(order, walk->goal))
        return 0;
    if (walk->turn == IN)
        return dlw_order_edge_find(order, walk->start, middle);
    return dlw_order_edge_find(order, middle, walk->goal) ? id : 0;
}

/* The next edge from the start to a lock with an edge to the goal; 0 at the end. */
static uint32_t next_between(const struct dlw_order *order, struct between *walk)
{
    uint32_t found = 0;

    while (!found && walk->next[walk->turn]) {
        uint32_t id = walk->next[walk->turn];
        const struct edge *edge = edge_at(order, id);
        found = edge_between(order, walk, id);
        walk->next[walk->turn] = walk->turn == OUT ? edge->next_out : edge->next_in;
        if (walk->takes_turns)
            walk->turn = walk->turn == OUT ? IN : OUT;
    }
    return found;
}

void dlw_search_three(struct search *search, dlw_node start)
{
    struct between walk = between(search->order, start, search->goal);
    uint32_t id;

    choose_shorter(search->order, &walk);
    while ((id = next_between(search->order, &walk)) && !search->has_failed)
        try_middle(search, id);
}

uint32_t dlw_search_first_between(const struct search *search, dlw_node start)
{
    struct between walk = between(search->order, start, search->goal);

    return next_between(search->order, &walk);
}
