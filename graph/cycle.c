/*
 * The search for real cycles through one new piece of evidence.
 *
 * Depth-first over edges and their evidence, by rising length, inside the
 * component (iterative deepening: R. Korf, "Depth-First Iterative-Deepening",
 * Artificial Intelligence 27, 1985). Exact distances to the goal, from a search
 * backward that goes only as far as needed, keep it on paths that can still
 * close in time, so a lone cycle of thousands is walked straight. Each length
 * is searched only for cycles of just that length: every path is seen once.
 *
 * What the steps chosen so far hold is counted at the locks, so a candidate's
 * gates are checked in the length of its own chain. The stack is in the arena.
 */
#include "graph/order_private.h"

#include <string.h>

enum { UNREACHED = UINT32_MAX };

/* What the search knows of a lock; beside the visit of the same index. */
struct info {
    uint32_t distance;          /* edges to the goal */
    uint32_t shared, exclusive; /* steps that hold it */
    bool is_on_path;
    bool is_in_first; /* held by the new piece */
};

/* A lock reached, and which of its edges and evidence is tried. */
struct frame {
    dlw_node node;
    uint32_t edge, piece; /* under trial */
    bool has_merged;
    struct step saved; /* what a merge replaced */
};

/* Real cycles wait until all searches of one learn are through, and the shortest are told first:
 * longer ones that contain them are not told at all. */
struct candidate {
    uint64_t hash;
    uint32_t first, n; /* in the steps */
};

enum { MOST_CANDIDATES = 256 };

struct candidates {
    struct candidate *list;
    struct step *steps;
    uint32_t n, room;
    uint32_t n_steps, steps_room;
};

struct search {
    struct dlw_order *order;
    const struct dlw_order_sink *sink;
    struct candidates *candidates;
    uint32_t edge, piece; /* the new one */
    dlw_node goal;
    struct info *infos;
    uint32_t infos_room;
    uint32_t queue_head, queue_tail; /* of the backward search, in order->list */
    struct step *steps;
    uint32_t n_steps, steps_room;
    struct frame *frames;
    uint32_t n_frames, frames_room;
    uint32_t limit;  /* edges after the first */
    uint32_t budget; /* pieces left to try */
    bool is_cut;     /* a longer limit would see more */
    bool has_failed; /* memory is out */
};

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
        .holds = {node_at(order, step->source)->lock, step->hold_stack, step->hold_mode},
        .wants = {node_at(order, next->source)->lock, piece->want_stack, piece->want_mode},
    };
}

void dlw_cycle_tell(struct dlw_order *order, const struct dlw_order_sink *sink,
                    const struct step *steps, uint32_t n, enum dlw_harmless harmless, uint64_t gate)
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
        .harmless = (uint8_t)harmless,
        .gate = gate,
        .reason = reason_of(harmless, is_timed),
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

static bool is_accepted(struct search *search)
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

/* The steps are a real cycle. */
static void add_candidate(struct search *search)
{
    struct dlw_order *order = search->order;
    struct candidates *all = search->candidates;
    uint32_t n = search->n_steps;
    uint64_t hash = dlw_told_hash(search->steps, n);

    if (is_candidate(all, hash) || dlw_told_kind(order, hash) == TOLD_REAL ||
        dlw_told_contains(order, search->steps, n, n) ||
        dlw_cycle_excuse(order, search->steps, n) || !is_accepted(search))
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

static void tell_real(struct dlw_order *order, const struct candidates *all,
                      const struct candidate *candidate, const struct dlw_order_sink *sink)
{
    const struct step *steps = all->steps + candidate->first;

    if (dlw_told_contains(order, steps, candidate->n, candidate->n))
        return;
    dlw_told_note(order, candidate->hash, steps, candidate->n, TOLD_REAL);
    dlw_cycle_tell(order, sink, steps, candidate->n, DLW_FEASIBLE, 0);
}

static void tell_candidates(struct dlw_order *order, struct candidates *all,
                            const struct dlw_order_sink *sink)
{
    for (uint32_t told = 0; told < all->n; told++) {
        uint32_t next = 0;
        for (uint32_t i = 1; i < all->n; i++) {
            if (all->list[i].n < all->list[next].n)
                next = i;
        }
        tell_real(order, all, &all->list[next], sink);
        all->list[next].n = UINT32_MAX;
    }
}

/* Distances. */

static struct info *info_at(struct search *search, dlw_node node)
{
    const struct visit *visit = visit_of(search->order, node);

    return visit ? &search->infos[visit - search->order->visits.list] : NULL;
}

/* NULL, and has_failed, when memory is out. */
static struct info *info_make(struct search *search, dlw_node node)
{
    struct dlw_order *order = search->order;
    struct info *info = info_at(search, node);

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

static void enqueue(struct search *search, dlw_node node, uint32_t distance)
{
    struct dlw_order *order = search->order;
    struct info *info = info_make(search, node);

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
    uint32_t distance = info_at(search, node)->distance;
    dlw_node rep = rep_of(order, node);

    for (uint32_t id = node_at(order, node)->in; id; id = edge_at(order, id)->next_in) {
        if (rep_of(order, edge_at(order, id)->from) == rep)
            enqueue(search, edge_at(order, id)->from, distance + 1);
    }
}

static bool has_more_to_spread(const struct search *search)
{
    return search->queue_head < search->queue_tail && !search->has_failed;
}

/* Finds all distances up to `distance`. */
static void spread_to(struct search *search, uint32_t distance)
{
    while (has_more_to_spread(search) &&
           info_at(search, search->order->list[search->queue_head])->distance < distance)
        spread_one(search);
}

static uint32_t distance_of(struct search *search, dlw_node node)
{
    const struct info *info = info_at(search, node);

    return info ? info->distance : UNREACHED;
}

/* Steps. */

static void count_chain(struct search *search, dlw_chain id, uint32_t by)
{
    for (; id; id = chain_of(search->order, id).parent) {
        const struct chain chain = chain_of(search->order, id);
        struct info *info = info_make(search, chain.node);
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
        const struct info *info = info_at(search, chain.node);
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

static bool push_step(struct search *search, const struct step *step)
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
    return push_step(search, is_good ? &merged : &last) && is_good;
}

static bool take_step(struct search *search, struct frame *frame)
{
    struct step step = dlw_cycle_step(search->order, frame->edge, frame->piece);

    frame->has_merged = false;
    return merge_step(search, frame, &step) || (fits(search, &step) && push_step(search, &step));
}

static void undo_step(struct search *search, struct frame *frame)
{
    pop_step(search);
    if (frame->has_merged)
        push_step(search, &frame->saved);
}

/* Paths. */

static bool enter(struct search *search, dlw_node node)
{
    struct dlw_order *order = search->order;
    struct info *info = info_make(search, node);

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
    const struct info *info = info_at(search, edge->to);
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
    while (frame->edge && !is_passable(search, edge_at(order, frame->edge)))
        frame->edge = edge_at(order, frame->edge)->next_out;
    frame->piece = frame->edge ? edge_at(order, frame->edge)->evidence : 0;
    return frame->piece != 0;
}

/*
 * The path has come to a lock that the new piece holds as well as its edge's
 * source: its thread holds it, wants the first edge's target, and the cycle is
 * closed here. This is the merge of steps across the seam.
 */
static void try_seam(struct search *search, dlw_node node)
{
    struct step *first = &search->steps[0];
    const struct info *info = info_at(search, node);
    const struct step saved = *first;

    if (!info->is_in_first || first->piece != search->piece || search->n_steps < 2)
        return;
    const struct evidence *piece = evidence_at(search->order, first->piece);
    dlw_chain held = dlw_chains_find(search->order, piece->chain, node);
    *first = (struct step){node, saved.piece, 0, chain_of(search->order, held).mode};
    if (dlw_cycle_excludes(search->order, &search->steps[search->n_steps - 1], first))
        add_candidate(search);
    *first = saved;
}

/* With the frame's trial taken as a step: closes the cycle, or goes deeper. False when it stays. */
static bool follow(struct search *search, struct frame *frame)
{
    dlw_node to = edge_at(search->order, frame->edge)->to;

    if (to != search->goal) {
        try_seam(search, to);
        return enter(search, to);
    }
    if (search->n_steps > 1 &&
        dlw_cycle_excludes(search->order, &search->steps[search->n_steps - 1], &search->steps[0]))
        add_candidate(search);
    return false;
}

static void back_out(struct search *search)
{
    info_at(search, search->frames[--search->n_frames].node)->is_on_path = false;
    if (search->n_frames)
        undo_step(search, &search->frames[search->n_frames - 1]);
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
        search->budget--;
        if (take_step(search, frame) && !follow(search, frame))
            undo_step(search, &search->frames[search->n_frames - 1]);
    }
}

static void mark_first(struct search *search)
{
    dlw_chain id = evidence_at(search->order, search->piece)->chain;

    for (; id && !search->has_failed; id = chain_of(search->order, id).parent) {
        struct info *info = info_make(search, chain_of(search->order, id).node);
        if (info)
            info->is_in_first = true;
    }
}

/* Cycles longer than two all contain the one between the edge's ends, if that was told. */
static bool is_exhausted(const struct search *search)
{
    const struct edge *edge = edge_at(search->order, search->edge);
    const struct step ends[2] = {{.source = edge->from}, {.source = edge->to}};

    return !search->is_cut || is_candidate(search->candidates, dlw_told_hash(ends, 2)) ||
           dlw_told_contains(search->order, ends, 2, 3);
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

static void search_all(struct search *search)
{
    dlw_node start = edge_at(search->order, search->edge)->to;
    struct step first = dlw_cycle_step(search->order, search->edge, search->piece);

    search->limit = measure(search);
    mark_first(search);
    if (search->has_failed || search->limit == UNREACHED || !push_step(search, &first))
        return;
    info_at(search, search->goal)->is_on_path = true;
    for (;; search->limit++) {
        spread_to(search, search->limit);
        search_length(search, start);
        if (is_spent(search) || is_exhausted(search))
            return;
    }
}

/* The shortest cycle of edges, whatever their evidence; not told again where it was real. */
static void report_harmless(struct search *search, const struct dlw_order_sink *sink)
{
    struct dlw_order *order = search->order;
    uint32_t way = measure(search);
    uint32_t n = way + 1;
    uint32_t id = search->edge;

    if (way == UNREACHED || !dlw_array_fit(order->arena, search->steps, search->steps_room, n))
        return;
    uint32_t *edges = dlw_arena_alloc(order->arena, n * sizeof(*edges));
    for (uint32_t i = 0; edges && i < n; i++) {
        edges[i] = id;
        search->steps[i] = dlw_cycle_step(order, id, edge_at(order, id)->evidence);
        id = node_at(order, edge_at(order, id)->to)->out;
        while (id && distance_of(search, edge_at(order, id)->to) != n - i - 2)
            id = edge_at(order, id)->next_out;
    }
    if (edges) {
        search->steps[0] = dlw_cycle_step(order, search->edge, search->piece);
        dlw_harmless_report(order, search->steps, edges, n, sink);
    }
    dlw_arena_free(order->arena, edges, n * sizeof(*edges));
}

static struct search search_for(struct dlw_order *order, const struct news *news,
                                const struct dlw_order_sink *sink, struct candidates *candidates)
{
    return (struct search){
        .order = order,
        .sink = sink,
        .candidates = candidates,
        .edge = news->edge,
        .piece = news->piece,
        .goal = edge_at(order, news->edge)->from,
        .budget = order->limits.search_steps,
    };
}

static void search_free(struct search *search)
{
    struct dlw_arena *arena = search->order->arena;

    dlw_array_release(arena, search->infos, search->infos_room, sizeof(*search->infos));
    dlw_array_release(arena, search->steps, search->steps_room, sizeof(*search->steps));
    dlw_array_release(arena, search->frames, search->frames_room, sizeof(*search->frames));
}

static bool is_within_component(const struct dlw_order *order, uint32_t id)
{
    const struct edge *edge = edge_at(order, id);

    return rep_of(order, edge->from) == rep_of(order, edge->to);
}

void dlw_cycle_report(struct dlw_order *order, const struct news *news, uint32_t n,
                      const struct dlw_order_sink *sink)
{
    struct candidates candidates = {.n = 0};

    for (uint32_t i = 0; i < n; i++) {
        struct search search = search_for(order, &news[i], sink, &candidates);
        if (is_within_component(order, news[i].edge))
            search_all(&search);
        search_free(&search);
    }
    tell_candidates(order, &candidates, sink);
    for (uint32_t i = 0; i < n && !sink->accepts; i++) {
        struct search search = search_for(order, &news[i], sink, &candidates);
        if (is_within_component(order, news[i].edge))
            report_harmless(&search, sink);
        search_free(&search);
    }
    dlw_array_release(order->arena, candidates.list, candidates.room, sizeof(*candidates.list));
    dlw_array_release(order->arena, candidates.steps, candidates.steps_room,
                      sizeof(*candidates.steps));
}
