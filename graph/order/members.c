/*
 * What is kept of each lock on a cycle of the order: what all evidence on the edges from it to
 * others of its component has in common. And of each component: the code places of its evidence,
 * and the steps that longer searches may still take.
 *
 * A new piece on an edge into `v` closes no real cycle when every piece that goes on from `v`
 * shares a gate with it, is of its thread, or comes before it by create and join. To know that
 * takes a look at the record of `v`, so a program that takes its locks in all orders under one
 * table lock, or in one thread at a time, costs no search.
 *
 * A record only grows weaker: evidence that goes leaves it as it was. It then says less than is
 * true, never more. Where memory for one was out, none is believed any longer.
 */
#include "graph/order/private.h"

enum {
    GATES = 2,
    DEEPEST = 64,         /* held sets larger than this have no gates in common here */
    STEPS_OF_A_PIECE = 8, /* that longer searches in a component may take for each */
    MOST_PLACES = 6
};

enum sequence { UNKNOWN, BOUNDED, UNBOUNDED };

struct member {
    dlw_node node;
    uint32_t hash_next;
    dlw_node gates[GATES]; /* held exclusively by every piece; 0: none */
    uint32_t last : 31; /* BOUNDED: no piece came after this segment, or all are of this thread */
    uint32_t has_segment : 1;
    uint32_t sequence; /* enum sequence */
    uint32_t whole;    /* of the component, at its representative */
};

struct whole {
    uint32_t steps;
    uint32_t n_places; /* MOST_PLACES + 1: more, or not known */
    uint64_t places[MOST_PLACES];
};

struct members {
    struct dlw_pool records, wholes;
    struct dlw_index by_node;
};

static struct member *member_at(const struct members *members, uint32_t id)
{
    return dlw_pool_at(&members->records, id);
}

static uint32_t member_hash(const void *owner, uint32_t id)
{
    return (uint32_t)dlw_mix(member_at(owner, id)->node);
}

static uint32_t *member_next(const void *owner, uint32_t id)
{
    return &member_at(owner, id)->hash_next;
}

void dlw_members_destroy(struct dlw_order *order)
{
    struct members *members = order->members;

    if (!members)
        return;
    for (uint32_t id = 0; (id = dlw_pool_next(&members->records, id));)
        if (member_at(members, id)->node && member_at(members, id)->has_segment)
            dlw_life_unref(order->life, member_at(members, id)->last);
    dlw_pool_destroy(&members->records);
    dlw_pool_destroy(&members->wholes);
    dlw_index_destroy(&members->by_node);
    dlw_arena_free(order->arena, members, sizeof(*members));
    order->members = NULL;
}

/* Made with the first cycle: a program without one pays nothing. */
static struct members *get(struct dlw_order *order)
{
    struct members *members = order->members;

    if (members)
        return members;
    members = dlw_arena_alloc(order->arena, sizeof(*members));
    if (!members)
        return NULL;
    order->members = members;
    members->by_node = (struct dlw_index){
        .arena = order->arena, .owner = members, .hash = member_hash, .next = member_next};
    if (dlw_pool_init(&members->records, order->arena, sizeof(struct member)) &&
        dlw_pool_init(&members->wholes, order->arena, sizeof(struct whole)) &&
        dlw_index_init(&members->by_node))
        return members;
    dlw_members_destroy(order);
    return NULL;
}

static uint32_t find_id(const struct dlw_order *order, dlw_node node)
{
    const struct members *members = order->members;
    uint32_t id = members ? dlw_index_first(&members->by_node, (uint32_t)dlw_mix(node)) : 0;

    while (id && member_at(members, id)->node != node)
        id = member_at(members, id)->hash_next;
    return id;
}

static struct member *find(const struct dlw_order *order, dlw_node node)
{
    uint32_t id = find_id(order, node);

    return id ? member_at(order->members, id) : NULL;
}

static struct member *find_or_make(struct dlw_order *order, dlw_node node)
{
    struct member *member = find(order, node);
    struct members *members = member ? NULL : get(order);
    uint32_t id = members ? dlw_pool_alloc(&members->records) : 0;

    if (member)
        return member;
    if (!id) {
        order->has_lost_members = true;
        return NULL;
    }
    member = member_at(members, id);
    *member = (struct member){.node = node};
    dlw_index_insert(&members->by_node, id);
    return member;
}

void dlw_members_forget(struct dlw_order *order, dlw_node node)
{
    struct members *members = order->members;
    uint32_t id = find_id(order, node);

    if (!id)
        return;
    struct member *member = member_at(members, id);
    if (member->whole)
        dlw_pool_free(&members->wholes, member->whole);
    dlw_segment last = member->has_segment ? member->last : 0;
    dlw_index_remove(&members->by_node, id);
    *member = (struct member){0};
    dlw_pool_free(&members->records, id);
    dlw_life_unref(order->life, last);
    if (dlw_pool_count(&members->records) == 0)
        dlw_members_destroy(order);
}

/* ---- gates ---- */

static bool holds(const struct dlw_order *order, dlw_chain id, dlw_node node, bool exclusively)
{
    if (chain_of(order, id).depth > DEEPEST)
        return false;
    dlw_chain found = dlw_chains_find(order, id, node);
    return found && !(exclusively && chain_of(order, found).mode == DLW_SHARED);
}

/* The outermost ones that the first piece holds beside the edge's own source. */
static void take_gates(const struct dlw_order *order, struct member *member, dlw_chain id)
{
    if (chain_of(order, id).depth > DEEPEST)
        return;
    for (; id; id = chain_of(order, id).parent) {
        const struct chain chain = chain_of(order, id);
        if (chain.mode == DLW_SHARED || chain.node == member->node)
            continue;
        member->gates[1] = member->gates[0];
        member->gates[0] = chain.node;
    }
}

static void keep_common_gates(const struct dlw_order *order, struct member *member, dlw_chain id)
{
    for (unsigned i = 0; i < GATES; i++)
        if (member->gates[i] && !holds(order, id, member->gates[i], true))
            member->gates[i] = 0;
}

/* ---- who, and when ---- */

static bool is_of(const struct member *member, const struct evidence *piece)
{
    return member->last == piece->who && member->has_segment == piece->has_segment;
}

static dlw_segment last_of(const struct member *member)
{
    return member->has_segment ? member->last : 0;
}

static void set_last(struct dlw_order *order, struct member *member, const struct evidence *piece)
{
    dlw_life_ref(order->life, segment_of(piece));
    dlw_life_unref(order->life, last_of(member));
    member->last = piece->who;
    member->has_segment = piece->has_segment;
    member->sequence = BOUNDED;
}

static void lose_last(struct dlw_order *order, struct member *member)
{
    dlw_life_unref(order->life, last_of(member));
    member->last = 0;
    member->has_segment = 0;
    member->sequence = UNBOUNDED;
}

static void extend(struct dlw_order *order, struct member *member, const struct evidence *piece)
{
    dlw_segment last = last_of(member);
    dlw_segment segment = segment_of(piece);

    if (member->sequence == UNBOUNDED || (member->sequence == BOUNDED && is_of(member, piece)))
        return;
    if (member->sequence == UNKNOWN || dlw_life_is_before(order->life, last, segment))
        set_last(order, member, piece);
    else if (!dlw_life_is_before(order->life, segment, last))
        lose_last(order, member);
}

/* ---- the component ---- */

static struct whole *find_whole(const struct dlw_order *order, dlw_node rep)
{
    const struct member *member = find(order, rep);

    return member && member->whole ? dlw_pool_at(&order->members->wholes, member->whole) : NULL;
}

/* Of a component that lost its record, the places are not known. */
static struct whole *find_or_make_whole(struct dlw_order *order, dlw_node rep)
{
    struct member *member = find_or_make(order, rep);

    if (member && !member->whole) {
        member->whole = dlw_pool_alloc(&order->members->wholes);
        struct whole *whole = find_whole(order, rep);
        if (whole)
            *whole = (struct whole){
                .n_places = node_at(order, rep)->next_member == rep ? 0 : MOST_PLACES + 1};
    }
    return find_whole(order, rep);
}

static void allow_steps(struct whole *whole, uint32_t steps)
{
    whole->steps = steps < UINT32_MAX - whole->steps ? whole->steps + steps : UINT32_MAX;
}

static void add_place(struct whole *whole, uint64_t place)
{
    for (uint32_t i = 0; i < whole->n_places && i < MOST_PLACES; i++)
        if (whole->places[i] == place)
            return;
    if (whole->n_places < MOST_PLACES)
        whole->places[whole->n_places++] = place;
    else
        whole->n_places = MOST_PLACES + 1;
}

static void add_places(struct whole *whole, const struct whole *of)
{
    if (of->n_places > MOST_PLACES)
        whole->n_places = MOST_PLACES + 1;
    for (uint32_t i = 0; i < of->n_places && i < MOST_PLACES; i++)
        add_place(whole, of->places[i]);
}

void dlw_members_hand_over(struct dlw_order *order, dlw_node old, dlw_node rep)
{
    struct member *from = find(order, old);
    struct member *to = from && from->whole ? find_or_make(order, rep) : NULL;

    if (!to)
        return;
    to->whole = from->whole;
    from->whole = 0;
}

/* ---- the calls ---- */

static void note(struct dlw_order *order, struct member *member, struct whole *whole,
                 const struct evidence *piece)
{
    if (member->sequence == UNKNOWN)
        take_gates(order, member, piece->chain);
    else
        keep_common_gates(order, member, piece->chain);
    extend(order, member, piece);
    if (whole)
        add_place(whole, dlw_reported_place(piece->hold_stack, piece->want_stack));
}

void dlw_members_note(struct dlw_order *order, uint32_t edge, uint32_t piece)
{
    dlw_node from = edge_at(order, edge)->from;
    struct member *member = find_or_make(order, from);
    struct whole *whole = find_or_make_whole(order, rep_of(order, from));

    if (member)
        note(order, member, whole, evidence_at(order, piece));
    if (whole)
        allow_steps(whole, STEPS_OF_A_PIECE);
}

static void note_all(struct dlw_order *order, struct whole *whole, uint32_t edge)
{
    struct member *member = find_or_make(order, edge_at(order, edge)->from);
    uint32_t id = edge_at(order, edge)->evidence;

    for (; member && id; id = next_piece(order, id))
        note(order, member, whole, evidence_at(order, id));
}

static void note_edges_between(struct dlw_order *order, dlw_node small, dlw_node large,
                               struct whole *whole)
{
    dlw_node member = small;

    do {
        const struct node *node = node_at(order, member);
        for (uint32_t id = node->out; id; id = edge_at(order, id)->next_out)
            if (rep_of(order, edge_at(order, id)->to) == large)
                note_all(order, whole, id);
        for (uint32_t id = node->in; id; id = edge_at(order, id)->next_in)
            if (rep_of(order, edge_at(order, id)->from) == large)
                note_all(order, whole, id);
        member = node->next_member;
    } while (member != small);
}

void dlw_members_join(struct dlw_order *order, dlw_node small, dlw_node large)
{
    struct whole *whole = find_or_make_whole(order, large);
    const struct whole *other =
        node_at(order, small)->next_member == small ? NULL : find_or_make_whole(order, small);

    note_edges_between(order, small, large, whole);
    if (whole && other) {
        add_places(whole, other);
        allow_steps(whole, other->steps);
    }
    struct member *member = find(order, small);
    if (member && member->whole) {
        dlw_pool_free(&order->members->wholes, member->whole);
        member->whole = 0;
    }
}

bool dlw_members_exclude(const struct dlw_order *order, dlw_node at, const struct evidence *piece,
                         bool across_scopes)
{
    const struct member *member = order->has_lost_members ? NULL : find(order, at);

    if (!member)
        return false;
    for (unsigned i = 0; i < GATES; i++)
        if (member->gates[i] && holds(order, piece->chain, member->gates[i], false))
            return true;
    if (across_scopes || member->sequence != BOUNDED)
        return false;
    dlw_segment last = last_of(member);
    uint32_t thread = last ? dlw_life_thread(order->life, last) : member->last;
    return thread == thread_of(order, piece) ||
           dlw_life_is_before(order->life, last, segment_of(piece));
}

/* The three places as a cycle's, which begins anywhere. */
static bool are_told(const struct dlw_order *order, uint64_t a, uint64_t b, uint64_t c,
                     unsigned kind)
{
    return dlw_reported_often(order, a + b + c, kind);
}

bool dlw_members_know_threes(const struct dlw_order *order, const struct evidence *piece,
                             dlw_node at, unsigned kind)
{
    const struct whole *whole =
        order->has_lost_members ? NULL : find_whole(order, rep_of(order, at));
    uint64_t own = dlw_reported_place(piece->hold_stack, piece->want_stack);

    if (!whole || whole->n_places > MOST_PLACES)
        return false;
    for (uint32_t i = 0; i < whole->n_places; i++)
        for (uint32_t k = i; k < whole->n_places; k++)
            if (!are_told(order, own, whole->places[i], whole->places[k], kind))
                return false;
    return true;
}

/* Half of what is common is left to the search for real ones. */
uint32_t dlw_members_steps(const struct dlw_order *order, dlw_node node, bool for_real)
{
    const struct whole *whole = find_whole(order, rep_of(order, node));
    uint64_t kept = for_real ? 0 : order->limits.reserve_steps / 2;
    uint64_t common = order->reserve > kept ? order->reserve - kept : 0;
    uint64_t steps = common + (whole ? whole->steps : 0);

    return steps < order->limits.search_steps ? (uint32_t)steps : order->limits.search_steps;
}

void dlw_members_spend(struct dlw_order *order, dlw_node node, uint32_t steps)
{
    struct whole *whole = find_whole(order, rep_of(order, node));
    uint32_t own = !whole ? 0 : whole->steps < steps ? whole->steps : steps;

    if (whole)
        whole->steps -= own;
    order->reserve -= steps - own < order->reserve ? steps - own : order->reserve;
}
