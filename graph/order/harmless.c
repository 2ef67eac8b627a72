/*
 * Why a cycle can't happen: of all choices of evidence for its edges, the one
 * that breaks the fewest of the conditions for a real cycle, and of those it
 * breaks, the kind it breaks most often. Branch and bound with a bounded number
 * of comparisons; the first descent is greedy.
 */
#include "graph/order/private.h"

enum { COMPARISONS = 50000 };

struct weighing {
    const struct dlw_order *order;
    struct step *steps; /* under trial */
    const uint32_t *edges;
    uint32_t n;
    uint32_t comparisons;
    uint32_t best_cost;
    uint32_t *best;  /* pieces */
    uint32_t *costs; /* of the first i steps */
};

/* What two steps break, by reason. */
struct breaks {
    uint32_t of[DLW_ALL_SHARED + 1];
    uint64_t gate;
};

static bool have_common_gate(const struct dlw_order *order, dlw_chain a, dlw_chain b,
                             uint64_t *gate)
{
    for (; a; a = chain_of(order, a).parent) {
        dlw_chain same = dlw_chains_find(order, b, chain_of(order, a).node);
        if (!same ||
            (chain_of(order, a).mode == DLW_SHARED && chain_of(order, same).mode == DLW_SHARED))
            continue;
        *gate = node_at(order, chain_of(order, a).node)->lock;
        return true;
    }
    return false;
}

static void compare(const struct dlw_order *order, const struct step *a, const struct step *b,
                    struct breaks *breaks)
{
    const struct evidence *x = evidence_at(order, a->piece);
    const struct evidence *y = evidence_at(order, b->piece);

    if (thread_of(order, x) == thread_of(order, y)) {
        breaks->of[DLW_ONE_THREAD]++;
        return;
    }
    if (have_common_gate(order, x->chain, y->chain, &breaks->gate))
        breaks->of[DLW_GUARDED]++;
    if (dlw_life_is_before(order->life, segment_of(x), segment_of(y)) ||
        dlw_life_is_before(order->life, segment_of(y), segment_of(x)))
        breaks->of[DLW_ORDERED]++;
}

static uint32_t total(const struct breaks *breaks)
{
    uint32_t sum = 0;

    for (unsigned i = 0; i <= DLW_ALL_SHARED; i++)
        sum += breaks->of[i];
    return sum;
}

/* What step `i` breaks with those before it; the last one also closes the cycle. */
static void compare_with_earlier(const struct dlw_order *order, const struct step *steps,
                                 uint32_t i, uint32_t n, struct breaks *breaks)
{
    for (uint32_t j = 0; j < i; j++)
        compare(order, &steps[j], &steps[i], breaks);
    if (i > 0 && !dlw_cycle_excludes(order, &steps[i - 1], &steps[i]))
        breaks->of[DLW_ALL_SHARED]++;
    if (i == n - 1 && !dlw_cycle_excludes(order, &steps[i], &steps[0]))
        breaks->of[DLW_ALL_SHARED]++;
}

static uint32_t cost_at(struct weighing *w, uint32_t i)
{
    struct breaks breaks = {{0}, 0};

    w->comparisons += i;
    compare_with_earlier(w->order, w->steps, i, w->n, &breaks);
    return total(&breaks);
}

static void keep_best(struct weighing *w)
{
    w->best_cost = w->costs[w->n - 1];
    for (uint32_t i = 0; i < w->n; i++)
        w->best[i] = w->steps[i].piece;
}

/* Tries every choice, the new piece fixed, leaving out those that cost no less than the best. */
static void weigh(struct weighing *w)
{
    uint32_t i = 1;

    w->costs[0] = 0;
    w->steps[1].piece = 0;
    while (i > 0) {
        uint32_t piece = w->steps[i].piece;
        piece = piece ? next_piece(w->order, piece) : edge_at(w->order, w->edges[i])->evidence;
        bool is_over = w->comparisons > COMPARISONS && w->best_cost != UINT32_MAX;
        if (!piece || is_over) {
            i--;
            continue;
        }
        w->steps[i] = dlw_cycle_step(w->order, w->edges[i], piece);
        w->costs[i] = w->costs[i - 1] + cost_at(w, i);
        if (w->costs[i] >= w->best_cost)
            continue;
        if (i == w->n - 1)
            keep_best(w);
        else
            w->steps[++i].piece = 0;
    }
}

static enum dlw_harmless main_reason(const struct breaks *breaks)
{
    unsigned most = DLW_FEASIBLE;

    for (unsigned i = DLW_GUARDED; i <= DLW_ALL_SHARED; i++) {
        if (breaks->of[i] > breaks->of[most])
            most = i;
    }
    return most;
}

/* Do more steps hold a unit of one pool than it has? */
static bool is_short_of_units(const struct dlw_order *order, const struct step *steps, uint32_t n,
                              uint64_t *gate)
{
    for (dlw_chain at = evidence_at(order, steps[0].piece)->chain; at;
         at = chain_of(order, at).parent) {
        const struct node *node = node_at(order, chain_of(order, at).node);
        uint32_t holders = 1;
        if (!node->units)
            continue;
        for (uint32_t i = 1; i < n; i++)
            holders += dlw_chains_find(order, evidence_at(order, steps[i].piece)->chain,
                                       chain_of(order, at).node) != 0;
        *gate = node->lock;
        if (holders > node->units)
            return true;
    }
    return false;
}

static void tell_best(struct dlw_order *order, struct weighing *w,
                      const struct dlw_order_sink *sink, uint64_t hash)
{
    struct breaks breaks = {{0}, 0};

    for (uint32_t i = 0; i < w->n; i++)
        w->steps[i] = dlw_cycle_step(order, w->edges[i], w->best[i]);
    for (uint32_t i = 1; i < w->n; i++)
        compare_with_earlier(order, w->steps, i, w->n, &breaks);
    enum dlw_harmless reason = dlw_cycle_excuse(order, w->steps, w->n);
    if (reason != DLW_INTENDED && main_reason(&breaks))
        reason = main_reason(&breaks);
    if (!reason && is_short_of_units(order, w->steps, w->n, &breaks.gate))
        reason = breaks.of[DLW_GUARDED] = DLW_GUARDED;
    /* Nothing broken: of three it is one more like those told often, of more the search for a real
     * one gave up too early. */
    if (!reason && w->n <= 3)
        return;
    if (dlw_reported_note(order, hash, w->steps, w->n, reason ? TOLD_HARMLESS : TOLD_REAL))
        dlw_cycle_tell(
            order, sink, w->steps, w->n,
            (struct verdict){.harmless = reason, .gate = breaks.of[DLW_GUARDED] ? breaks.gate : 0});
}

uint32_t dlw_harmless_report(struct dlw_order *order, struct step *steps, const uint32_t *edges,
                             uint32_t n, const struct dlw_order_sink *sink)
{
    uint64_t hash = dlw_reported_hash(steps, n);
    struct weighing w = {
        .order = order, .steps = steps, .edges = edges, .n = n, .best_cost = UINT32_MAX};

    if (dlw_reported_kind(order, hash) || dlw_reported_contains(order, steps, n, TOLD_APART))
        return 0;
    w.best = dlw_arena_alloc(order->arena, n * sizeof(*w.best));
    w.costs = dlw_arena_alloc(order->arena, n * sizeof(*w.costs));
    if (w.best && w.costs) {
        w.best[0] = steps[0].piece;
        weigh(&w);
        tell_best(order, &w, sink, hash);
    }
    dlw_arena_free(order->arena, w.best, n * sizeof(*w.best));
    dlw_arena_free(order->arena, w.costs, n * sizeof(*w.costs));
    return w.comparisons;
}
