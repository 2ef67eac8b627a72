/* Looking at the lock-order graph from outside: walking its edges, and proving it sound. */
#include "graph/order/private.h"

static void require(bool holds)
{
    if (!holds)
        __builtin_trap();
}

/* The held set again, outermost first. Only the edge's source has its stack. Returns its index. */
static uint32_t unfold(const struct dlw_order *order, const struct edge *edge,
                       const struct evidence *piece, struct dlw_order_hold *held)
{
    uint32_t source = 0;

    for (dlw_chain id = piece->chain; id; id = chain_of(order, id).parent) {
        const struct chain chain = chain_of(order, id);
        uint32_t at = chain.depth - 1;
        held[at] = (struct dlw_order_hold){.node = chain.node, .mode = chain.mode};
        if (chain.node == edge->from) {
            held[at].stack = piece->hold_stack;
            held[at].intent = piece->intent;
            source = at;
        }
    }
    return source;
}

static void visit_piece(const struct dlw_order *order, const struct edge *edge,
                        const struct evidence *piece, dlw_order_visit *visit, void *context)
{
    uint32_t n_held = chain_of(order, piece->chain).depth;
    size_t bytes = n_held * sizeof(struct dlw_order_hold);
    struct dlw_order_hold *held = dlw_arena_alloc(order->arena, bytes);

    if (!held)
        return;
    uint32_t source = unfold(order, edge, piece, held);
    struct dlw_order_ask ask = {
        .thread = thread_of(order, piece),
        .segment = segment_of(piece),
        .held = held,
        .n_held = n_held,
        .chain = piece->chain,
        .want = edge->to,
        .mode = piece->want_mode,
        .timed = piece->timed,
        .stack = piece->want_stack,
    };
    visit(context, edge->from, edge->to, &ask, source);
    dlw_arena_free(order->arena, held, bytes);
}

void dlw_order_each(const struct dlw_order *order, dlw_order_visit *visit, void *context)
{
    for (dlw_node id = 0; (id = dlw_pool_next(&order->nodes, id));) {
        if (!node_at(order, id)->is_alive)
            continue;
        for (uint32_t e = node_at(order, id)->out; e; e = edge_at(order, e)->next_out) {
            const struct edge *edge = edge_at(order, e);
            for (uint32_t p = edge->evidence; p; p = next_piece(order, p))
                visit_piece(order, edge, evidence_at(order, p), visit, context);
        }
    }
}

static void check_edge(const struct dlw_order *order, uint32_t id, size_t *pieces)
{
    const struct edge *edge = edge_at(order, id);
    const struct node *from = node_at(order, edge->from);
    const struct node *to = node_at(order, edge->to);
    uint32_t n = 0;

    require(from->is_alive && to->is_alive);
    require(dlw_order_edge_find(order, edge->from, edge->to) == id);
    require(from->rep == to->rep || node_at(order, from->rep)->key < node_at(order, to->rep)->key);
    for (uint32_t p = edge->evidence; p; p = next_piece(order, p), n++)
        require(dlw_chains_find(order, evidence_at(order, p)->chain, edge->from) != 0);
    require(n == edge->n_evidence && n > 0 && n <= order->limits.evidence_per_edge);
    *pieces += n;
}

static size_t check_edges_of(const struct dlw_order *order, dlw_node id, size_t *pieces,
                             size_t *fars)
{
    size_t n = 0;
    uint32_t before = 0;

    for (uint32_t e = node_at(order, id)->out; e; e = edge_at(order, e)->next_out, n++) {
        require(edge_at(order, e)->from == id && edge_at(order, e)->prev_out == before);
        check_edge(order, e, pieces);
        before = e;
    }
    before = 0;
    for (uint32_t e = node_at(order, id)->in; e; e = edge_at(order, e)->next_in) {
        require(edge_at(order, e)->to == id && edge_at(order, e)->prev_in == before);
        require(!before || edge_at(order, e)->is_far);
        *fars += edge_at(order, e)->is_far;
        before = e;
    }
    return n;
}

static void check_membership(const struct dlw_order *order, dlw_node id)
{
    const struct node *node = node_at(order, id);

    require(node_at(order, node->rep)->rep == node->rep);
    require(node_at(order, node->next_member)->rep == node->rep);
    require(node_at(order, node->next_member)->prev_member == id);
}

static bool is_referred_to(const struct dlw_order *order, dlw_chain id)
{
    const struct chain chain = chain_of(order, id);

    return node_at(order, chain.node)->pins > 0 && (id & CHAIN_OF_ONE || chain.refs > 0);
}

/* As many pieces as there are places for them in records. */
static void check_evidence(const struct dlw_order *order, size_t pieces)
{
    size_t n = 0;
    size_t places = 0;

    for (uint32_t id = 0; (id = dlw_pool_next(&order->evidence, id));) {
        const struct evidence *piece = evidence_at(order, id);
        if (!piece->chain)
            continue;
        require(is_referred_to(order, piece->chain));
        n++;
        places += piece->is_shared ? piece->link + 1U : 1U;
        require(!piece->is_shared || piece->link);
    }
    require(n == dlw_pool_count(&order->evidence));
    require(places == pieces && pieces == order->n_pieces);
}

/* Every chain counts once as its parent's user and once for its node, which those without a record
 * pin as well. */
static void check_chains(const struct dlw_order *order, size_t pins)
{
    size_t n = 0;

    for (dlw_chain id = 0; (id = dlw_pool_next(&order->chains, id));) {
        const struct chain chain = chain_of(order, id);
        if (!chain.refs)
            continue;
        require(is_referred_to(order, id) && is_referred_to(order, chain.parent));
        require(chain.depth == chain_of(order, chain.parent).depth + 1);
        n++;
    }
    require(n == dlw_pool_count(&order->chains) && n <= pins && n == order->chain_index.count);
}

void dlw_order_check_invariants(const struct dlw_order *order)
{
    size_t edges = 0;
    size_t pieces = 0;
    size_t fars = 0;
    size_t nodes = 0;
    size_t pins = 0;

    for (dlw_node id = 0; (id = dlw_pool_next(&order->nodes, id));) {
        const struct node *node = node_at(order, id);
        if (!node->is_alive && !node->pins)
            continue;
        nodes++;
        pins += node->pins;
        check_membership(order, id);
        edges += check_edges_of(order, id, &pieces, &fars);
    }
    require(nodes == dlw_pool_count(&order->nodes));
    require(edges == dlw_pool_count(&order->edges));
    require(fars == dlw_pool_count(&order->fars) && fars == order->far_index.count);
    check_evidence(order, pieces);
    check_chains(order, pins);
}
