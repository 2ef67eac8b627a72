/*
 * Which pieces of evidence an edge keeps. A piece says: this thread, in this
 * segment of its life, held these locks and asked. What a new one must beat:
 *
 *  - covered: the same thread in the same segment asked before with no more
 *    gates and modes as strong. Whatever the new one could prove, that one does.
 *  - saturated: enough threads, concurrent with each other, did the same under
 *    the same gates in this era. In any cycle at most a few are in the way, and
 *    one is left. Not inside a component: there the cycle exists, and whether
 *    it is real may hang on this thread's place in create/join order.
 *
 * When an edge is full, a piece goes that the new one makes useless: one that
 * was before it and had no fewer gates. Whatever arrives later happens in the
 * segment its thread is now in, of which nothing known is the future, so what
 * is unordered with the old piece is unordered with the new one too. Only when
 * there is none does a piece with many gates give way, a bounded number of times.
 *
 * Pieces of other scopes count as unordered where all else fails, so an old one of a scope is of
 * use until a few other scopes stand for it.
 */
#include "graph/order/private.h"

enum { EVICTION_LIMIT = 256, SCOPES_KEPT = 3 };

/* Asks as strongly as `b`, from a lock held alike. */
static bool is_as_strong(const struct evidence *a, const struct evidence *b)
{
    return a->hold_mode == b->hold_mode &&
           (a->want_mode == DLW_EXCLUSIVE || b->want_mode == DLW_SHARED) &&
           (!a->timed || b->timed) && a->intent <= b->intent;
}

static bool is_alike(const struct evidence *a, const struct evidence *b)
{
    return a->chain == b->chain && a->hold_mode == b->hold_mode && a->want_mode == b->want_mode &&
           a->timed == b->timed && a->intent == b->intent;
}

/*
 * A chain longer than the window covers only itself: of what lies beyond it no
 * edges are made, and the cycle search reads it from the chain.
 */
static bool has_no_more_gates(const struct dlw_order *order, dlw_chain a, dlw_chain b)
{
    return a == b ||
           (chain_of(order, b).depth <= order->limits.window && dlw_chains_is_subset(order, a, b));
}

static bool is_covered(const struct dlw_order *order, const struct edge *edge,
                       const struct evidence *piece)
{
    for (uint32_t id = edge->evidence; id; id = next_piece(order, id)) {
        const struct evidence *old = evidence_at(order, id);
        if (old->who == piece->who && old->has_segment == piece->has_segment &&
            is_as_strong(old, piece) && has_no_more_gates(order, old->chain, piece->chain))
            return true;
    }
    return false;
}

/* Is `id` concurrent with the alike pieces counted before it, which are those in front of it that
 * passed the same test? Bounded by the few that saturate. */
static bool is_concurrent_with(const struct dlw_order *order, const uint32_t *counted, uint32_t n,
                               const struct evidence *piece)
{
    for (uint32_t i = 0; i < n; i++) {
        const struct evidence *other = evidence_at(order, counted[i]);
        if (thread_of(order, other) == thread_of(order, piece) ||
            !dlw_life_are_concurrent(order->life, segment_of(other), segment_of(piece)))
            return false;
    }
    return true;
}

enum { MOST_COUNTED = 16 };

static bool is_saturated(const struct dlw_order *order, const struct edge *edge,
                         const struct evidence *piece)
{
    uint32_t counted[MOST_COUNTED];
    uint32_t n = 0;
    uint32_t era = dlw_life_era(order->life, segment_of(piece));

    if (rep_of(order, edge->from) == rep_of(order, edge->to))
        return false;
    for (uint32_t id = edge->evidence; id && n < MOST_COUNTED; id = next_piece(order, id)) {
        const struct evidence *old = evidence_at(order, id);
        if (is_alike(old, piece) && dlw_life_era(order->life, segment_of(old)) == era &&
            is_concurrent_with(order, counted, n, old))
            counted[n++] = id;
    }
    return n >= order->limits.saturate_threads;
}

static bool is_made_useless(const struct dlw_order *order, const struct evidence *old,
                            const struct evidence *piece)
{
    return is_as_strong(piece, old) && has_no_more_gates(order, piece->chain, old->chain) &&
           ((old->who == piece->who && old->has_segment == piece->has_segment) ||
            dlw_life_is_before(order->life, segment_of(old), segment_of(piece)));
}

/* Are there a few of as many scopes, `piece` among them, which all stand for `old`? */
static bool is_outnumbered(const struct dlw_order *order, const struct edge *edge,
                           const struct evidence *old, const struct evidence *piece)
{
    const char *scopes[SCOPES_KEPT] = {dlw_life_scope(order->life, segment_of(piece))};
    uint32_t n = scopes[0] != NULL;

    for (uint32_t id = edge->evidence; id && n < SCOPES_KEPT; id = next_piece(order, id)) {
        const struct evidence *other = evidence_at(order, id);
        const char *scope = dlw_life_scope(order->life, segment_of(other));
        bool is_counted = !scope || other == old || !is_as_strong(other, old) ||
                          !has_no_more_gates(order, other->chain, old->chain);
        for (uint32_t i = 0; i < n; i++)
            is_counted |= scopes[i] == scope;
        if (!is_counted)
            scopes[n++] = scope;
    }
    return n == SCOPES_KEPT;
}

static uint32_t find_useless(const struct dlw_order *order, const struct edge *edge,
                             const struct evidence *piece)
{
    const char *scope = dlw_life_scope(order->life, segment_of(piece));
    uint32_t id = edge->evidence;

    for (; id; id = next_piece(order, id)) {
        const struct evidence *old = evidence_at(order, id);
        const char *its = dlw_life_scope(order->life, segment_of(old));
        if (is_made_useless(order, old, piece) &&
            (!its || its == scope || is_outnumbered(order, edge, old, piece)))
            break;
    }
    return id;
}

/* The oldest of those with the most gates, if that is more than the new piece has; within a
 * component, where variety counts, as many will do. */
static uint32_t find_most_gated(const struct dlw_order *order, const struct edge *edge,
                                const struct evidence *piece)
{
    uint32_t most = 0;
    uint32_t depth = chain_of(order, piece->chain).depth;

    if (edge->evictions >= EVICTION_LIMIT)
        return 0;
    if (rep_of(order, edge->from) == rep_of(order, edge->to))
        depth--;
    for (uint32_t id = edge->evidence; id; id = next_piece(order, id)) {
        uint32_t its = chain_of(order, evidence_at(order, id)->chain).depth;
        if (its > depth) {
            most = id;
            depth = its;
        }
    }
    return most;
}

static bool is_full(const struct dlw_order *order, const struct edge *edge)
{
    return edge->n_evidence >= order->limits.evidence_per_edge;
}

enum evidence_answer dlw_evidence_judge(const struct dlw_order *order, uint32_t id,
                                        const struct evidence *piece)
{
    const struct edge *edge = edge_at(order, id);

    if (is_saturated(order, edge, piece))
        return EVIDENCE_SATURATED;
    if (is_covered(order, edge, piece))
        return EVIDENCE_COVERED;
    if (is_full(order, edge) && !find_useless(order, edge, piece) &&
        !find_most_gated(order, edge, piece))
        return EVIDENCE_NO_ROOM;
    return EVIDENCE_NEW;
}

/* ---- records ---- */

static uint32_t *recent_of(struct dlw_order *order, const struct evidence *piece)
{
    uint64_t stacks = (uint64_t)piece->hold_stack << 32 | piece->want_stack;
    uint64_t who = (uint64_t)piece->chain << 32 | piece->who;

    return &order->recent[dlw_mix(dlw_mix(stacks) ^ who) % RECENT];
}

static bool is_same(const struct evidence *a, const struct evidence *b)
{
    return a->who == b->who && a->has_segment == b->has_segment && a->hold_stack == b->hold_stack &&
           a->want_stack == b->want_stack && is_alike(a, b);
}

/* A reserved record with its references. */
static uint32_t record_make(struct dlw_order *order, const struct evidence *piece)
{
    uint32_t id = dlw_pool_alloc(&order->evidence);

    *evidence_at(order, id) = *piece;
    evidence_at(order, id)->link = 0;
    evidence_at(order, id)->is_shared = 0;
    dlw_order_chain_ref(order, piece->chain);
    dlw_life_ref(order->life, segment_of(piece));
    dlw_life_mark_recorded(order->life, segment_of(piece));
    return id;
}

/* The record that says this and is the last of its lists, or a new one. */
static uint32_t record_get(struct dlw_order *order, const struct evidence *piece)
{
    uint32_t *recent = recent_of(order, piece);
    struct evidence *old = evidence_at(order, *recent);

    if (*recent && (old->is_shared || !old->link) && is_same(old, piece)) {
        old->is_shared = 1;
        old->link++;
        return *recent;
    }
    return *recent = record_make(order, piece);
}

static void record_put(struct dlw_order *order, uint32_t id)
{
    struct evidence *piece = evidence_at(order, id);

    if (piece->is_shared) {
        piece->is_shared = --piece->link > 0;
        return;
    }
    uint32_t *recent = recent_of(order, piece);
    dlw_segment segment = segment_of(piece);
    dlw_chain chain = piece->chain;
    if (*recent == id)
        *recent = 0;
    piece->chain = 0;
    dlw_pool_free(&order->evidence, id);
    dlw_life_unref(order->life, segment);
    dlw_order_chain_unref(order, chain);
}

/* ---- the list of an edge ---- */

/* The piece before `id`, 0: it is the first; of `id` 0 the last one. */
static uint32_t piece_before(const struct dlw_order *order, const struct edge *edge, uint32_t id)
{
    uint32_t before = 0;

    for (uint32_t at = edge->evidence; at != id; at = next_piece(order, at))
        before = at;
    return before;
}

static void set_next(struct dlw_order *order, struct edge *edge, uint32_t before, uint32_t id)
{
    if (before)
        evidence_at(order, before)->link = id;
    else
        edge->evidence = id;
}

static void drop(struct dlw_order *order, struct edge *edge, uint32_t id)
{
    set_next(order, edge, piece_before(order, edge, id), next_piece(order, id));
    edge->n_evidence--;
    order->n_pieces--;
    record_put(order, id);
}

/* Only where there is a cycle that it could have been part of. */
static void count_drop(struct dlw_order *order, const struct edge *edge)
{
    order->dropped += rep_of(order, edge->from) == rep_of(order, edge->to);
}

void dlw_evidence_count_drop(struct dlw_order *order, uint32_t id)
{
    count_drop(order, edge_at(order, id));
}

static void make_room(struct dlw_order *order, struct edge *edge, const struct evidence *piece)
{
    uint32_t victim = find_useless(order, edge, piece);

    if (!victim) {
        victim = find_most_gated(order, edge, piece);
        edge->evictions++;
        count_drop(order, edge);
    }
    drop(order, edge, victim);
}

static void append(struct dlw_order *order, struct edge *edge, uint32_t id)
{
    uint32_t last = piece_before(order, edge, 0);

    if (last && evidence_at(order, last)->is_shared) {
        uint32_t before = piece_before(order, edge, last);
        uint32_t copy = record_make(order, evidence_at(order, last));
        record_put(order, last);
        set_next(order, edge, before, copy);
        last = copy;
    }
    set_next(order, edge, last, id);
    edge->n_evidence++;
    order->n_pieces++;
}

/* Do enough of those kept say the same, but for who and when? Then it is worth keeping, since it
 * may be the one that another's place in create/join order asks for, but not worth telling. */
bool dlw_evidence_is_repeated(const struct dlw_order *order, uint32_t edge_id,
                              const struct evidence *piece)
{
    uint32_t n = 0;

    for (uint32_t id = edge_at(order, edge_id)->evidence; id; id = next_piece(order, id)) {
        const struct evidence *old = evidence_at(order, id);
        n += is_alike(old, piece) && old->hold_stack == piece->hold_stack &&
             old->want_stack == piece->want_stack;
    }
    return n >= order->limits.saturate_threads;
}

uint32_t dlw_evidence_add(struct dlw_order *order, uint32_t edge_id, const struct evidence *piece)
{
    struct edge *edge = edge_at(order, edge_id);

    if (is_full(order, edge))
        make_room(order, edge, piece);
    uint32_t id = record_get(order, piece);
    append(order, edge, id);
    return id;
}

void dlw_evidence_drop_all(struct dlw_order *order, uint32_t id)
{
    struct edge *edge = edge_at(order, id);

    while (edge->evidence)
        drop(order, edge, edge->evidence);
}
