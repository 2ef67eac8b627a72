/*
 * Cycles that the program means, or can leave. What it said of an order stands with the
 * evidence, as it was when the lock was asked for: levels may change. So does a time limit: with
 * one on every step nobody waits for ever.
 *
 * A step of a cycle may stand for several edges of one thread; what counts is
 * the order of its two ends.
 */
#include "graph/order/private.h"

/* The weakest word there is for this edge: of the piece itself where it is the edge's own. */
static unsigned intent_of(const struct dlw_order *order, dlw_node from, dlw_node to, uint32_t piece)
{
    uint32_t edge = dlw_order_edge_find(order, from, to);
    uint32_t id = edge ? edge_at(order, edge)->evidence : 0;
    unsigned weakest = id ? DLW_INTENT_VOUCHED : DLW_INTENT_NONE;

    for (; id; id = next_piece(order, id)) {
        unsigned its = evidence_at(order, id)->intent;
        if (id == piece)
            return its;
        if (its < weakest)
            weakest = its;
    }
    return weakest;
}

enum dlw_harmless dlw_cycle_excuse(const struct dlw_order *order, const struct step *steps,
                                   uint32_t n)
{
    bool are_rising = true;
    bool are_timed = true;

    for (uint32_t i = 0; i < n; i++) {
        unsigned intent =
            intent_of(order, steps[i].source, steps[(i + 1) % n].source, steps[i].piece);
        if (intent == DLW_INTENT_VOUCHED)
            return DLW_INTENDED;
        are_rising &= intent == DLW_INTENT_RISING;
        are_timed &= evidence_at(order, steps[i].piece)->timed;
    }
    return are_rising ? DLW_INTENDED : are_timed ? DLW_ALL_TIMED : DLW_FEASIBLE;
}
