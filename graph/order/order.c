#include "graph/order/private.h"

#include <string.h>

static const struct dlw_order_limits defaults = {
    .evidence_per_edge = 8,
    .window = 16,
    .search_steps = 20000,
    .reserve_steps = 2000000,
    .saturate_threads = 3,
    .alike = 10000,
    .often = 64,
};

/* Edges of one lock to sixteen in a row share a cache line of buckets. */
static uint32_t edge_hash(dlw_node from, dlw_node to)
{
    return (uint32_t)dlw_mix((uint64_t)from << 32 | to >> 4) ^ (to & 15U);
}

static uint32_t far_hash(const void *owner, uint32_t id)
{
    const struct edge *edge = edge_at(owner, far_at(owner, id)->edge);

    return edge_hash(edge->from, edge->to);
}

static uint32_t *far_next(const void *owner, uint32_t id)
{
    return &far_at(owner, id)->hash_next;
}

static bool init_tables(struct dlw_order *order)
{
    order->far_index = (struct dlw_index){
        .arena = order->arena, .owner = order, .hash = far_hash, .next = far_next};
    return dlw_pool_init(&order->nodes, order->arena, sizeof(struct node)) &&
           dlw_pool_init(&order->edges, order->arena, sizeof(struct edge)) &&
           dlw_pool_init(&order->fars, order->arena, sizeof(struct far)) &&
           dlw_pool_init(&order->evidence, order->arena, sizeof(struct evidence)) &&
           dlw_pool_init(&order->chains, order->arena, sizeof(struct chain)) &&
           dlw_index_init(&order->far_index) && dlw_chains_init(order);
}

static void apply_defaults(struct dlw_order_limits *limits)
{
    if (!limits->evidence_per_edge)
        limits->evidence_per_edge = defaults.evidence_per_edge;
    if (limits->evidence_per_edge > UINT16_MAX)
        limits->evidence_per_edge = UINT16_MAX;
    if (!limits->window)
        limits->window = defaults.window;
    if (!limits->search_steps)
        limits->search_steps = defaults.search_steps;
    if (!limits->reserve_steps)
        limits->reserve_steps = defaults.reserve_steps;
    if (!limits->saturate_threads)
        limits->saturate_threads = defaults.saturate_threads;
    if (!limits->alike)
        limits->alike = defaults.alike;
    if (!limits->often)
        limits->often = defaults.often;
}

struct dlw_order *dlw_order_new(struct dlw_arena *arena, struct dlw_life *life,
                                const struct dlw_order_limits *limits)
{
    struct dlw_order *order = dlw_arena_alloc(arena, sizeof(*order));

    if (!order)
        return NULL;
    order->arena = arena;
    order->life = life;
    order->limits = limits ? *limits : defaults;
    apply_defaults(&order->limits);
    order->reserve = order->limits.reserve_steps;
    if (!init_tables(order)) {
        dlw_order_free(order);
        return NULL;
    }
    return order;
}

/* Searches leave their arrays for the next one, unless they have become large. */
static void trim_scratch(struct dlw_order *order, uint32_t most)
{
    if (order->visits.room > most) {
        dlw_array_release(order->arena, order->visits.list, order->visits.room,
                          sizeof(*order->visits.list));
        order->visits = (struct visits){NULL, 0, 0};
    }
    if (order->walks_room > most) {
        dlw_array_release(order->arena, order->walks, order->walks_room, sizeof(*order->walks));
        order->walks = NULL;
        order->walks_room = 0;
    }
    if (order->list_room > most) {
        dlw_array_release(order->arena, order->list, order->list_room, sizeof(*order->list));
        order->list = NULL;
        order->list_room = 0;
    }
}

void dlw_order_free(struct dlw_order *order)
{
    struct dlw_arena *arena = order->arena;

    if (order->edges.n_segments) {
        for (uint32_t id = 0; (id = dlw_pool_next(&order->edges, id));)
            dlw_evidence_drop_all(order, id);
    }
    dlw_reported_destroy(order);
    dlw_members_destroy(order);
    trim_scratch(order, 0);
    dlw_index_destroy(&order->far_index);
    dlw_index_destroy(&order->chain_index);
    dlw_pool_destroy(&order->nodes);
    dlw_pool_destroy(&order->edges);
    dlw_pool_destroy(&order->fars);
    dlw_pool_destroy(&order->evidence);
    dlw_pool_destroy(&order->chains);
    dlw_arena_free(arena, order, sizeof(*order));
}

dlw_node dlw_order_add(struct dlw_order *order, uint64_t lock, bool prefers_writers)
{
    dlw_node id = dlw_pool_alloc(&order->nodes);

    if (!id)
        return 0;
    struct node *node = node_at(order, id);
    node->lock = lock;
    node->rep = node->next_member = node->prev_member = id;
    node->is_alive = 1;
    node->prefers_writers = prefers_writers;
    dlw_topology_place_new(order, id);
    return id;
}

void dlw_order_rename(struct dlw_order *order, dlw_node node, uint64_t lock)
{
    node_at(order, node)->lock = lock;
}

void dlw_order_set_units(struct dlw_order *order, dlw_node node, uint32_t units)
{
    node_at(order, node)->units = units <= DLW_ORDER_UNITS ? units & 31U : 0;
}

uint64_t dlw_order_lock_of(const struct dlw_order *order, dlw_node node)
{
    return node_at(order, node)->lock;
}

static uint32_t far_find(const struct dlw_order *order, dlw_node from, dlw_node to)
{
    uint32_t id = dlw_index_first(&order->far_index, edge_hash(from, to));

    for (; id; id = far_at(order, id)->hash_next) {
        const struct edge *edge = edge_at(order, far_at(order, id)->edge);
        if (edge->from == from && edge->to == to)
            break;
    }
    return id;
}

uint32_t dlw_order_edge_find(const struct dlw_order *order, dlw_node from, dlw_node to)
{
    uint32_t id = node_at(order, to)->in;

    if (!id || edge_at(order, id)->from == from)
        return id;
    return edge_at(order, id)->next_in ? far_at(order, far_find(order, from, to))->edge : 0;
}

/* Behind the first one, which stays where it is found. */
static void link_far(struct dlw_order *order, uint32_t id, uint32_t first)
{
    struct edge *edge = edge_at(order, id);
    uint32_t far = dlw_pool_alloc(&order->fars);

    edge->prev_in = first;
    edge->next_in = edge_at(order, first)->next_in;
    if (edge->next_in)
        edge_at(order, edge->next_in)->prev_in = id;
    edge_at(order, first)->next_in = id;
    edge->is_far = 1;
    far_at(order, far)->edge = id;
    dlw_index_insert(&order->far_index, far);
}

/* In reserved records. */
static uint32_t edge_link(struct dlw_order *order, dlw_node from, dlw_node to)
{
    uint32_t id = dlw_pool_alloc(&order->edges);
    struct edge *edge = edge_at(order, id);
    struct node *source = node_at(order, from);
    struct node *target = node_at(order, to);

    edge->from = from;
    edge->to = to;
    edge->next_out = source->out;
    if (source->out)
        edge_at(order, source->out)->prev_out = id;
    source->out = id;
    if (target->in)
        link_far(order, id, target->in);
    else
        target->in = id;
    return id;
}

static void far_drop(struct dlw_order *order, const struct edge *edge)
{
    uint32_t far = far_find(order, edge->from, edge->to);

    dlw_index_remove(&order->far_index, far);
    dlw_pool_free(&order->fars, far);
}

static void edge_unlink(struct dlw_order *order, uint32_t id)
{
    struct edge *edge = edge_at(order, id);

    dlw_evidence_drop_all(order, id);
    if (edge->is_far)
        far_drop(order, edge);
    if (edge->prev_out)
        edge_at(order, edge->prev_out)->next_out = edge->next_out;
    else
        node_at(order, edge->from)->out = edge->next_out;
    if (edge->next_out)
        edge_at(order, edge->next_out)->prev_out = edge->prev_out;
    if (edge->prev_in)
        edge_at(order, edge->prev_in)->next_in = edge->next_in;
    else
        node_at(order, edge->to)->in = edge->next_in;
    if (edge->next_in)
        edge_at(order, edge->next_in)->prev_in = edge->prev_in;
    edge->evidence = 0; /* so that a freed record has nothing to give back */
    dlw_pool_free(&order->edges, id);
}

enum { MOST_PINS = (1 << 25) - 1 }; /* one that has come so far keeps its number for good */

void dlw_order_pin(struct dlw_order *order, dlw_node id)
{
    struct node *node = node_at(order, id);

    if (node->pins < MOST_PINS)
        node->pins++;
}

/* The number is free again when the lock is gone and no held set names it. */
void dlw_order_unpin(struct dlw_order *order, dlw_node id)
{
    struct node *node = node_at(order, id);

    if (node->pins < MOST_PINS && --node->pins == 0 && !node->is_alive)
        dlw_pool_free(&order->nodes, id);
}

void dlw_order_remove(struct dlw_order *order, dlw_node id)
{
    struct node *node = node_at(order, id);

    dlw_order_pin(order, id); /* its own edges' evidence must not release it under our hands */
    while (node->out)
        edge_unlink(order, node->out);
    while (node->in)
        edge_unlink(order, node->in);
    dlw_component_leave(order, id);
    dlw_reported_forget(order, id);
    node->is_alive = 0;
    dlw_order_unpin(order, id);
    if (order->removals > (size_t)order->nodes.live + order->edges.live)
        dlw_component_rebuild(order);
    if (dlw_pool_count(&order->nodes) == 0)
        trim_scratch(order, 0);
}

static struct evidence piece_of(const struct dlw_order_ask *ask, uint32_t i, dlw_chain chain)
{
    return (struct evidence){
        .who = ask->segment ? ask->segment : ask->thread,
        .has_segment = ask->segment != 0,
        .chain = chain,
        .hold_stack = ask->held[i].stack,
        .want_stack = ask->stack,
        .hold_mode = ask->held[i].mode != DLW_EXCLUSIVE,
        .want_mode = ask->mode != DLW_EXCLUSIVE,
        .timed = ask->timed,
        .intent = ask->held[i].intent & 3U,
    };
}

static uint32_t first_in_window(const struct dlw_order *order, const struct dlw_order_ask *ask)
{
    return ask->n_held > order->limits.window ? ask->n_held - order->limits.window : 0;
}

unsigned dlw_order_probe(struct dlw_order *order, const struct dlw_order_ask *ask)
{
    unsigned verdict = DLW_ORDER_SATURATED;
    dlw_chain chain = ask->chain ? ask->chain : dlw_chains_lookup(order, ask->held, ask->n_held);

    if (!chain)
        return DLW_ORDER_NEWS;
    for (uint32_t i = first_in_window(order, ask); i < ask->n_held; i++) {
        if (!node_at(order, ask->held[i].node)->is_alive)
            continue;
        struct evidence piece = piece_of(ask, i, chain);
        uint32_t edge = dlw_order_edge_find(order, ask->held[i].node, ask->want);
        enum evidence_answer answer = edge ? dlw_evidence_judge(order, edge, &piece) : EVIDENCE_NEW;
        if (answer == EVIDENCE_NEW)
            return DLW_ORDER_NEWS;
        if (answer != EVIDENCE_SATURATED)
            verdict = DLW_ORDER_KNOWN;
        if (answer == EVIDENCE_NO_ROOM)
            dlw_evidence_count_drop(order, edge);
    }
    return verdict;
}

/* True when there is something to tell. */
static bool learn_one(struct dlw_order *order, const struct dlw_order_ask *ask, uint32_t i,
                      dlw_chain chain, struct news *news, unsigned *verdict)
{
    news->edge = 0;
    if (!node_at(order, ask->held[i].node)->is_alive) /* destroyed while held */
        return false;
    struct evidence piece = piece_of(ask, i, chain);
    uint32_t edge = dlw_order_edge_find(order, ask->held[i].node, ask->want);
    bool is_repeated = false;
    bool is_new = edge == 0;

    if (edge) {
        enum evidence_answer answer = dlw_evidence_judge(order, edge, &piece);
        if (answer != EVIDENCE_SATURATED)
            *verdict &= ~(unsigned)DLW_ORDER_SATURATED;
        if (answer == EVIDENCE_NO_ROOM)
            dlw_evidence_count_drop(order, edge);
        if (answer != EVIDENCE_NEW)
            return false;
        is_repeated = dlw_evidence_is_repeated(order, edge, &piece);
    } else if (dlw_topology_add(order, ask->held[i].node, ask->want)) {
        edge = edge_link(order, ask->held[i].node, ask->want);
    } else {
        *verdict |= DLW_ORDER_NO_MEMORY;
        return false;
    }
    *verdict = (*verdict | DLW_ORDER_NEWS) & ~(unsigned)DLW_ORDER_SATURATED;
    *news = (struct news){edge, dlw_evidence_add(order, edge, &piece), is_new};
    if (rep_of(order, ask->held[i].node) == rep_of(order, ask->want))
        dlw_members_note(order, edge, news->piece);
    return !is_repeated;
}

static unsigned learn_window(struct dlw_order *order, const struct dlw_order_ask *ask,
                             dlw_chain chain, struct news *news, const struct dlw_order_sink *sink)
{
    unsigned verdict = DLW_ORDER_SATURATED;
    uint32_t n = 0;

    for (uint32_t i = first_in_window(order, ask); i < ask->n_held; i++) {
        bool is_worth_telling = learn_one(order, ask, i, chain, &news[n], &verdict);
        if (is_worth_telling && sink && sink->learned)
            sink->learned(sink->context, ask, i);
        n += news[n].edge != 0;
    }
    if (sink && sink->found)
        dlw_cycle_report(order, news, n, sink);
    return verdict;
}

unsigned dlw_order_learn(struct dlw_order *order, const struct dlw_order_ask *ask,
                         const struct dlw_order_sink *sink)
{
    uint32_t window = ask->n_held - first_in_window(order, ask);
    size_t news_bytes = window * sizeof(struct news);

    if (!dlw_pool_reserve(&order->edges, window) || !dlw_pool_reserve(&order->fars, window) ||
        !dlw_pool_reserve(&order->evidence, 2 * window))
        return DLW_ORDER_NO_MEMORY;
    struct news *news = dlw_arena_alloc(order->arena, news_bytes);
    dlw_chain chain = ask->chain;
    if (chain)
        dlw_order_chain_ref(order, chain);
    else if (news)
        chain = dlw_chains_intern(order, ask->held, ask->n_held);
    unsigned verdict =
        chain && news ? learn_window(order, ask, chain, news, sink) : DLW_ORDER_NO_MEMORY;
    dlw_order_chain_unref(order, chain);
    dlw_arena_free(order->arena, news, news_bytes);
    trim_scratch(order, DLW_POOL_SEGMENT * 16);
    return verdict;
}

uint32_t dlw_order_generation(const struct dlw_order *order)
{
    return order->generation;
}

struct dlw_order_totals dlw_order_totals(const struct dlw_order *order)
{
    return (struct dlw_order_totals){
        .nodes = dlw_pool_count(&order->nodes),
        .edges = dlw_pool_count(&order->edges),
        .evidence = order->n_pieces,
        .components_merged = order->merged,
        .dropped = order->dropped,
        .given_up = order->given_up,
        .untold = order->untold,
    };
}
