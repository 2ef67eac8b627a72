/*
 * Strongly connected components: merged when an edge closes a cycle, left by
 * nodes that go, and now and then computed afresh, since a component that has
 * lost nodes may have fallen apart. Until then it is too large, which costs
 * searches and changes no answer.
 */
#include "graph/order/private.h"

uint32_t dlw_component_next_edge(const struct dlw_order *order, struct walk *walk, bool out)
{
    for (;;) {
        while (walk->edge) {
            uint32_t id = walk->edge;
            const struct edge *edge = edge_at(order, id);
            walk->edge = out ? edge->next_out : edge->next_in;
            if (rep_of(order, out ? edge->to : edge->from) != walk->rep)
                return id;
        }
        walk->member = node_at(order, walk->member)->next_member;
        if (walk->member == walk->rep)
            return 0;
        const struct node *node = node_at(order, walk->member);
        walk->edge = out ? node->out : node->in;
    }
}

enum { BACKWARD = 1, FORWARD = 2, BOTH = 3 };

static bool list_push(struct dlw_order *order, uint32_t *n, dlw_node rep)
{
    if (!dlw_array_fit(order->arena, order->list, order->list_room, *n + 1))
        return false;
    order->list[(*n)++] = rep;
    return true;
}

/* Marks `rep` as reached from `side` and queues it, once. */
static bool reach(struct dlw_order *order, uint32_t *n, dlw_node rep, unsigned side)
{
    struct visit *visit = visit_of(order, rep);

    if (visit && visit->value & side)
        return true;
    if (visit)
        visit->value |= side;
    else if (!dlw_order_visit_add(order, rep, side))
        return false;
    return list_push(order, n, rep);
}

/* All components that `start` reaches (or that reach it) with keys between the two bounds. */
static bool reach_all(struct dlw_order *order, dlw_node start, unsigned side, uint64_t low,
                      uint64_t high)
{
    uint32_t n = 0;

    if (!reach(order, &n, start, side))
        return false;
    for (uint32_t i = 0; i < n; i++) {
        struct walk walk = dlw_component_walk(order, order->list[i], side == FORWARD);
        uint32_t id;
        while ((id = dlw_component_next_edge(order, &walk, side == FORWARD))) {
            const struct edge *edge = edge_at(order, id);
            dlw_node rep = rep_of(order, side == FORWARD ? edge->to : edge->from);
            uint64_t key = node_at(order, rep)->key;
            if (key >= low && key <= high && !reach(order, &n, rep, side))
                return false;
        }
    }
    return true;
}

/* A component's place, sorted by key. */
struct place {
    uint64_t key;
    dlw_node rep;
    unsigned side;
};

static void sift(struct place *heap, uint32_t i, uint32_t n)
{
    for (uint32_t child; (child = 2 * i + 1) < n; i = child) {
        if (child + 1 < n && heap[child + 1].key > heap[child].key)
            child++;
        if (heap[i].key >= heap[child].key)
            return;
        struct place swap = heap[i];
        heap[i] = heap[child];
        heap[child] = swap;
    }
}

static void sort_places(struct place *places, uint32_t n)
{
    for (uint32_t i = n / 2; i-- > 0;)
        sift(places, i, n);
    while (n > 1) {
        struct place swap = places[--n];
        places[n] = places[0];
        places[0] = swap;
        sift(places, 0, n);
    }
}

/* The larger component takes in the smaller: each node changes sides O(log n) times. */
static dlw_node join_two(struct dlw_order *order, dlw_node a, dlw_node b)
{
    dlw_node x = a;
    dlw_node y = b;

    do {
        x = node_at(order, x)->next_member;
        y = node_at(order, y)->next_member;
    } while (x != a && y != b);
    dlw_node large = y == b ? a : b;
    dlw_node small = large == a ? b : a;
    dlw_node member = small;
    dlw_members_join(order, small, large);
    do {
        node_at(order, member)->rep = large;
        member = node_at(order, member)->next_member;
    } while (member != small);
    dlw_node after_large = node_at(order, large)->next_member;
    dlw_node after_small = node_at(order, small)->next_member;
    node_at(order, large)->next_member = after_small;
    node_at(order, after_small)->prev_member = large;
    node_at(order, small)->next_member = after_large;
    node_at(order, after_large)->prev_member = small;
    order->merged++;
    return large;
}

/*
 * Hands the keys out anew, as Pearce and Kelly do: what only reaches the cycle
 * first, then the cycle as one, then what is only reached from it, each part in
 * its old order.
 */
static void reorder(struct dlw_order *order, struct place *places, uint32_t n)
{
    uint32_t next = 0;
    dlw_node rep = 0;
    uint64_t key = 0;

    sort_places(places, n);
    for (uint32_t i = 0; i < n; i++) {
        if (places[i].side == BACKWARD)
            node_at(order, places[i].rep)->key = places[next++].key;
    }
    for (uint32_t i = 0; i < n; i++) {
        if (places[i].side == BOTH) {
            key = places[next++].key;
            rep = rep ? join_two(order, rep, places[i].rep) : places[i].rep;
        }
    }
    node_at(order, rep)->key = key;
    for (uint32_t i = 0; i < n; i++) {
        if (places[i].side == FORWARD)
            node_at(order, places[i].rep)->key = places[next++].key;
    }
}

/* The two searches are bounded by the keys of the edge's ends: `to` reaches `from`, and keys rise
 * along the way. */
bool dlw_component_merge(struct dlw_order *order, dlw_node from, dlw_node to)
{
    uint64_t low = node_at(order, to)->key;
    uint64_t high = node_at(order, from)->key;

    order->visits.n = 0;
    if (!reach_all(order, to, FORWARD, low, high) || !reach_all(order, from, BACKWARD, low, high))
        return false;
    uint32_t n = order->visits.n;
    struct place *places = dlw_arena_alloc(order->arena, n * sizeof(*places));
    if (!places)
        return false;
    for (uint32_t i = 0; i < n; i++) {
        const struct visit *visit = &order->visits.list[i];
        places[i] = (struct place){node_at(order, visit->node)->key, visit->node, visit->value};
    }
    reorder(order, places, n);
    dlw_arena_free(order->arena, places, n * sizeof(*places));
    order->generation++;
    return true;
}

static void hand_over(struct dlw_order *order, dlw_node old, dlw_node rep)
{
    dlw_node member = rep;

    node_at(order, rep)->key = node_at(order, old)->key;
    dlw_members_hand_over(order, old, rep);
    do {
        node_at(order, member)->rep = rep;
        member = node_at(order, member)->next_member;
    } while (member != rep);
}

void dlw_component_leave(struct dlw_order *order, dlw_node id)
{
    struct node *node = node_at(order, id);
    dlw_node next = node->next_member;

    if (next == id) {
        dlw_members_forget(order, id);
        return;
    }
    node_at(order, node->prev_member)->next_member = next;
    node_at(order, next)->prev_member = node->prev_member;
    node->next_member = node->prev_member = id;
    if (node->rep == id)
        hand_over(order, id, next);
    dlw_members_forget(order, id);
    node->rep = id;
    order->removals++;
}

/* The rebuild below, while it runs. */
struct tarjan {
    struct dlw_order *order;
    uint32_t n_walks, n_stack;
    uint64_t position;
};

enum { EMITTED = UINT32_MAX };

static void open_node(struct tarjan *tarjan, dlw_node id)
{
    struct dlw_order *order = tarjan->order;

    dlw_order_visit_add(order, id, order->visits.n);
    order->list[tarjan->n_stack++] = id;
    order->walks[tarjan->n_walks++] = (struct walk){id, id, node_at(order, id)->out};
}

static void link_member(struct dlw_order *order, dlw_node first, dlw_node id)
{
    struct node *head = node_at(order, first);
    struct node *node = node_at(order, id);

    node->rep = first;
    node->prev_member = first;
    node->next_member = head->next_member;
    node_at(order, head->next_member)->prev_member = id;
    head->next_member = id;
}

static void emit(struct tarjan *tarjan, dlw_node root)
{
    struct dlw_order *order = tarjan->order;
    struct node *head = node_at(order, root);
    dlw_node id;

    head->rep = head->next_member = head->prev_member = root;
    head->key = tarjan->position--;
    do {
        id = order->list[--tarjan->n_stack];
        visit_of(order, id)->value = EMITTED;
        if (id != root)
            link_member(order, root, id);
    } while (id != root);
}

static void lower(struct visit *visit, uint32_t value)
{
    if (value < visit->value)
        visit->value = value;
}

static void close_node(struct tarjan *tarjan)
{
    struct dlw_order *order = tarjan->order;
    dlw_node id = order->walks[--tarjan->n_walks].rep;
    uint32_t low = visit_of(order, id)->value;

    if (low == node_at(order, id)->mark)
        emit(tarjan, id);
    else
        lower(visit_of(order, order->walks[tarjan->n_walks - 1].rep), low);
}

static void scan_from(struct tarjan *tarjan, dlw_node start)
{
    struct dlw_order *order = tarjan->order;

    open_node(tarjan, start);
    while (tarjan->n_walks) {
        struct walk *walk = &order->walks[tarjan->n_walks - 1];
        if (!walk->edge) {
            close_node(tarjan);
            continue;
        }
        const struct edge *edge = edge_at(order, walk->edge);
        walk->edge = edge->next_out;
        const struct visit *visit = visit_of(order, edge->to);
        if (!visit)
            open_node(tarjan, edge->to);
        else if (visit->value != EMITTED)
            lower(visit_of(order, walk->rep), node_at(order, edge->to)->mark);
    }
}

/*
 * R. Tarjan, "Depth-First Search and Linear Graph Algorithms", SIAM J. Comput.
 * 1(2), 1972, with the stack in the arena: components come out in reverse
 * topological order. O(V + E). All memory is taken before anything changes.
 */
bool dlw_component_rebuild(struct dlw_order *order)
{
    struct tarjan tarjan = {.order = order};
    uint32_t n = dlw_pool_count(&order->nodes);

    order->removals = 0;
    order->visits.n = 0;
    if (!dlw_array_fit(order->arena, order->visits.list, order->visits.room, n + 1) ||
        !dlw_array_fit(order->arena, order->walks, order->walks_room, n + 1) ||
        !dlw_array_fit(order->arena, order->list, order->list_room, n + 1))
        return false;
    order->front = 1ULL << (KEY_POSITION_BITS - 1);
    order->back = order->front + n + 1;
    tarjan.position = order->back - 1;
    for (dlw_node id = 0; (id = dlw_pool_next(&order->nodes, id));) {
        if (node_at(order, id)->is_alive && !visit_of(order, id))
            scan_from(&tarjan, id);
    }
    return true;
}
