/*
 * What one learn completes: real cycles, the shortest first, then for each new edge a shortest
 * harmless one. Cycles of two and three are all looked for; longer ones within a budget.
 */
#include "graph/order/search.h"

#include <string.h>

struct step dlw_cycle_step(const struct dlw_order *order, uint32_t edge, uint32_t piece)
{
    const struct evidence *evidence = evidence_at(order, piece);

    return (struct step){edge_at(order, edge)->from, piece, evidence->hold_stack,
                         evidence->hold_mode};
}

bool dlw_cycle_excludes(const struct dlw_order *order, const struct step *asker,
                        const struct step *holder)
{
    return evidence_at(order, asker->piece)->want_mode == DLW_EXCLUSIVE ||
           holder->hold_mode == DLW_EXCLUSIVE || node_at(order, holder->source)->prefers_writers;
}

/* Telling. */

static const char *reason_of(enum dlw_harmless harmless, bool is_timed)
{
    switch (harmless) {
    case DLW_GUARDED:
        return "one lock is held around all of it";
    case DLW_ORDERED:
        return "create, join or a barrier orders its parts";
    case DLW_ONE_THREAD:
        return "only one thread takes these locks in both orders";
    case DLW_ALL_SHARED:
        return "a reader only meets readers";
    case DLW_INTENDED:
        return "the program says that it means this order";
    case DLW_ALL_TIMED:
        return "every step is timed";
    default:
        return is_timed ? "one side is timed" : NULL;
    }
}

static struct dlw_cycle_entry entry_of(const struct dlw_order *order, const struct step *step,
                                       const struct step *next)
{
    const struct evidence *piece = evidence_at(order, step->piece);

    return (struct dlw_cycle_entry){
        .thread = thread_of(order, piece),
        .timed = piece->timed,
        .scope = dlw_life_scope(order->life, segment_of(piece)),
        .holds = {node_at(order, step->source)->lock, step->hold_stack, step->hold_mode},
        .wants = {node_at(order, next->source)->lock, piece->want_stack, piece->want_mode},
    };
}

void dlw_cycle_tell(struct dlw_order *order, const struct dlw_order_sink *sink,
                    const struct step *steps, uint32_t n, struct verdict verdict)
{
    size_t bytes = n * sizeof(struct dlw_cycle_entry);
    struct dlw_cycle_entry *cycle = dlw_arena_alloc(order->arena, bytes);
    bool is_timed = false;

    if (!cycle)
        return;
    for (uint32_t i = 0; i < n; i++) {
        cycle[i] = entry_of(order, &steps[i], &steps[(i + 1) % n]);
        is_timed |= cycle[i].timed;
    }
    struct dlw_finding finding = {
        .kind = DLW_LOCK_ORDER_INVERSION,
        .harmless = (uint8_t)verdict.harmless,
        .doubt = (uint8_t)verdict.doubt,
        .gate = verdict.gate,
        .reason = reason_of(verdict.harmless, is_timed),
        .n_cycle = n,
        .cycle = cycle,
    };
    sink->found(sink->context, &finding);
    dlw_arena_free(order->arena, cycle, bytes);
}

static bool is_candidate(const struct candidates *candidates, uint64_t hash)
{
    for (uint32_t i = 0; i < candidates->n; i++) {
        if (candidates->list[i].hash == hash)
            return true;
    }
    return false;
}

static void keep_candidate(struct search *search, uint64_t hash)
{
    struct dlw_order *order = search->order;
    struct candidates *all = search->candidates;
    uint32_t n = search->n_steps;

    if (is_candidate(all, hash))
        return;
    if (!dlw_array_fit(order->arena, all->list, all->room, all->n + 1) ||
        !dlw_array_fit(order->arena, all->steps, all->steps_room, all->n_steps + n)) {
        search->has_failed = true;
        return;
    }
    memcpy(all->steps + all->n_steps, search->steps, n * sizeof(*all->steps));
    all->list[all->n++] = (struct candidate){hash, all->n_steps, n};
    all->n_steps += n;
}

static void tell_possible(const struct search *search, uint64_t hash, const struct step *steps,
                          uint32_t n)
{
    const struct verdict verdict = {.doubt = search->kind == TOLD_APART ? DLW_DOUBT_SCOPE
                                                                        : DLW_NO_DOUBT};

    if (dlw_reported_note(search->order, hash, steps, n, search->kind))
        dlw_cycle_tell(search->order, search->sink, steps, n, verdict);
}

static bool is_accepted(const struct search *search)
{
    const struct dlw_order_sink *sink = search->sink;
    struct dlw_order *order = search->order;
    size_t bytes = search->n_steps * sizeof(uint32_t);

    if (!sink->accepts)
        return true;
    uint32_t *threads = dlw_arena_alloc(order->arena, bytes);
    for (uint32_t i = 0; threads && i < search->n_steps; i++)
        threads[i] = thread_of(order, evidence_at(order, search->steps[i].piece));
    bool result = threads && sink->accepts(sink->context, threads, search->n_steps);
    dlw_arena_free(order->arena, threads, bytes);
    return result;
}

void dlw_search_close(struct search *search)
{
    struct dlw_order *order = search->order;
    uint32_t n = search->n_steps;
    uint64_t hash = dlw_reported_hash(search->steps, n);

    if (dlw_cycle_excuse(order, search->steps, n))
        return;
    search->has_closed = dlw_reported_kind(order, hash) >= search->kind ||
                         dlw_reported_contains(order, search->steps, n, search->kind);
    if (search->has_closed || !is_accepted(search))
        return;
    search->has_closed = true;
    if (search->candidates)
        keep_candidate(search, hash);
    else
        tell_possible(search, hash, search->steps, n);
}

static void tell_candidates(const struct search *search, struct candidates *all)
{
    for (uint32_t told = 0; told < all->n; told++) {
        struct candidate *shortest = &all->list[0];
        for (uint32_t i = 1; i < all->n; i++)
            if (all->list[i].n < shortest->n)
                shortest = &all->list[i];
        const struct step *steps = all->steps + shortest->first;
        if (!dlw_reported_contains(search->order, steps, shortest->n, search->kind))
            tell_possible(search, shortest->hash, steps, shortest->n);
        shortest->n = UINT32_MAX;
    }
}

/* Searching. */

static bool is_within_component(const struct dlw_order *order, uint32_t id)
{
    const struct edge *edge = edge_at(order, id);

    return rep_of(order, edge->from) == rep_of(order, edge->to);
}

/* Can the new piece be a step of a cycle that is not told as this kind? Those of more than two all
 * contain the one between the edge's ends. */
static bool is_open(const struct search *search)
{
    const struct dlw_order *order = search->order;
    const struct edge *edge = edge_at(order, search->edge);

    return !search->has_failed && is_within_component(order, search->edge) &&
           !dlw_reported_pair(order, edge->from, edge->to, search->kind) &&
           !dlw_members_exclude(order, edge->to, evidence_at(order, search->piece),
                                search->kind == TOLD_APART);
}

static bool knows_threes(const struct search *search, unsigned kind)
{
    return dlw_members_know_threes(search->order, evidence_at(search->order, search->piece),
                                   search->goal, kind);
}

/* All cycles of two, or of three. */
static void search_short(struct search *search, uint32_t n)
{
    dlw_node start = edge_at(search->order, search->edge)->to;

    search->order->visits.n = 0;
    if (!is_open(search) || (n == 3 && knows_threes(search, search->kind)) ||
        !dlw_search_begin(search))
        return;
    if (n == 2)
        dlw_search_two(search, start);
    else
        dlw_search_three(search, start);
}

/* The cycle of these edges, whatever their evidence; not told again where it was real. */
static void weigh(struct search *search, const uint32_t *edges, uint32_t n)
{
    struct dlw_order *order = search->order;

    if (!dlw_array_fit(order->arena, search->steps, search->steps_room, n))
        return;
    search->steps[0] = dlw_cycle_step(order, edges[0], search->piece);
    for (uint32_t i = 1; i < n; i++)
        search->steps[i] = dlw_cycle_step(order, edges[i], edge_at(order, edges[i])->evidence);
    dlw_members_spend(order, search->goal,
                      dlw_harmless_report(order, search->steps, edges, n, search->sink));
}

/* Of more than three, the shortest. */
static void weigh_longer(struct search *search)
{
    uint32_t n;
    uint32_t *edges = dlw_search_shortest(search, &n);

    if (edges)
        weigh(search, edges, n);
    dlw_arena_free(search->order->arena, edges, n * sizeof(*edges));
}

static void weigh_shortest(struct search *search)
{
    const struct dlw_order *order = search->order;
    dlw_node start = edge_at(order, search->edge)->to;
    uint32_t edges[3] = {search->edge, dlw_order_edge_find(order, start, search->goal), 0};

    if (edges[1]) {
        weigh(search, edges, 2);
        return;
    }
    if (knows_threes(search, TOLD_HARMLESS))
        return;
    edges[1] = dlw_search_first_between(search, start);
    if (edges[1]) {
        edges[2] = dlw_order_edge_find(order, edge_at(order, edges[1])->to, search->goal);
        weigh(search, edges, 3);
    } else {
        weigh_longer(search);
    }
}

/* One piece's searches, in turn: what they allocate serves the next. */
static struct search search_for(struct dlw_order *order, const struct dlw_order_sink *sink)
{
    return (struct search){.order = order, .sink = sink};
}

static void aim(struct search *search, const struct news *news)
{
    search->edge = news->edge;
    search->piece = news->piece;
    search->goal = edge_at(search->order, news->edge)->from;
}

static void search_free(struct search *search)
{
    struct dlw_arena *arena = search->order->arena;

    dlw_array_release(arena, search->infos, search->infos_room, sizeof(*search->infos));
    dlw_array_release(arena, search->steps, search->steps_room, sizeof(*search->steps));
    dlw_array_release(arena, search->frames, search->frames_room, sizeof(*search->frames));
}

static void report_short(struct search *search, const struct news *news, uint32_t n)
{
    for (uint32_t length = 2; length <= 3; length++)
        for (uint32_t i = 0; i < n; i++) {
            aim(search, &news[i]);
            search_short(search, length);
        }
}

static void report_longer(struct search *search, const struct news *news, uint32_t n)
{
    struct dlw_order *order = search->order;
    struct candidates candidates = {.n = 0};

    search->candidates = &candidates; /* cppcheck-suppress autoVariables; until the end of this */
    for (uint32_t i = 0; i < n; i++) {
        aim(search, &news[i]);
        if (is_open(search))
            dlw_search_longer(search);
    }
    search->candidates = NULL;
    tell_candidates(search, &candidates);
    dlw_array_release(order->arena, candidates.list, candidates.room, sizeof(*candidates.list));
    dlw_array_release(order->arena, candidates.steps, candidates.steps_room,
                      sizeof(*candidates.steps));
}

void dlw_cycle_report(struct dlw_order *order, const struct news *news, uint32_t n,
                      const struct dlw_order_sink *sink)
{
    struct search search = search_for(order, sink);
    uint32_t kept = 0;

    for (uint32_t i = 0; i < n; i++)
        kept += is_within_component(order, news[i].edge);
    if (kept == 0)
        return;
    search.kind = TOLD_REAL;
    report_short(&search, news, n);
    report_longer(&search, news, n);
    if (dlw_life_has_scopes(order->life)) {
        search.kind = TOLD_APART;
        report_short(&search, news, n);
        report_longer(&search, news, n);
    }
    for (uint32_t i = 0; i < n && !sink->accepts; i++) {
        aim(&search, &news[i]);
        if (news[i].is_new_edge && is_within_component(order, news[i].edge))
            weigh_shortest(&search);
    }
    search_free(&search);
}
