/*
 * Held sets as chains: each is a parent and one lock more, and equal ones are
 * one record. Taking a lock under ten thousand others costs one lookup, and
 * under one other nothing: sets of one lock have a number but no record.
 */
#include "graph/order/private.h"

enum { SUBSET_BOUND = 64 };

static struct chain *record_at(const struct dlw_order *order, dlw_chain id)
{
    return dlw_pool_at(&order->chains, id);
}

static dlw_chain of_one(dlw_node node, unsigned mode)
{
    return CHAIN_OF_ONE | (mode == DLW_EXCLUSIVE ? 0 : CHAIN_SHARED) | node;
}

static uint32_t hash_of(dlw_chain parent, dlw_node node, unsigned mode)
{
    return (uint32_t)dlw_mix((uint64_t)parent << 32 | node << 1 | mode);
}

static uint32_t chain_hash(const void *owner, uint32_t id)
{
    const struct chain *chain = record_at(owner, id);

    return hash_of(chain->parent, chain->node, chain->mode);
}

static uint32_t *chain_next(const void *owner, uint32_t id)
{
    return &record_at(owner, id)->hash_next;
}

bool dlw_chains_init(struct dlw_order *order)
{
    order->chain_index = (struct dlw_index){
        .arena = order->arena, .owner = order, .hash = chain_hash, .next = chain_next};
    return dlw_index_init(&order->chain_index);
}

static dlw_chain find(const struct dlw_order *order, dlw_chain parent, dlw_node node, unsigned mode)
{
    if (!parent)
        return of_one(node, mode);
    dlw_chain id = dlw_index_first(&order->chain_index, hash_of(parent, node, mode));
    while (id) {
        const struct chain *chain = record_at(order, id);
        if (chain->parent == parent && chain->node == node && chain->mode == mode)
            break;
        id = chain->hash_next;
    }
    return id;
}

dlw_chain dlw_order_chain_push(struct dlw_order *order, dlw_chain parent, dlw_node node,
                               uint8_t mode)
{
    dlw_chain id = find(order, parent, node, mode);

    if (id) {
        dlw_order_chain_ref(order, id);
        return id;
    }
    id = dlw_pool_alloc(&order->chains);
    if (!id)
        return 0;
    struct chain *chain = record_at(order, id);
    chain->parent = parent;
    chain->node = node;
    chain->mode = mode != DLW_EXCLUSIVE;
    chain->refs = 1;
    chain->depth = chain_of(order, parent).depth + 1;
    dlw_order_chain_ref(order, parent);
    dlw_order_pin(order, node);
    dlw_index_insert(&order->chain_index, id);
    return id;
}

void dlw_order_chain_ref(struct dlw_order *order, dlw_chain id)
{
    if (id & CHAIN_OF_ONE)
        dlw_order_pin(order, chain_of(order, id).node);
    else if (id)
        record_at(order, id)->refs++;
}

void dlw_order_chain_unref(struct dlw_order *order, dlw_chain id)
{
    while (id && !(id & CHAIN_OF_ONE)) {
        struct chain *chain = record_at(order, id);
        if (--chain->refs > 0)
            return;
        dlw_chain parent = chain->parent;
        dlw_node node = chain->node;
        dlw_index_remove(&order->chain_index, id);
        dlw_pool_free(&order->chains, id);
        dlw_order_unpin(order, node);
        id = parent;
    }
    if (id)
        dlw_order_unpin(order, chain_of(order, id).node);
}

dlw_chain dlw_chains_intern(struct dlw_order *order, const struct dlw_order_hold *held,
                            uint32_t n_held)
{
    dlw_chain chain = 0;

    for (uint32_t i = 0; i < n_held; i++) {
        dlw_chain longer = dlw_order_chain_push(order, chain, held[i].node, held[i].mode);
        dlw_order_chain_unref(order, chain); /* the longer one holds it */
        if (!longer)
            return 0;
        chain = longer;
    }
    return chain;
}

dlw_chain dlw_chains_lookup(const struct dlw_order *order, const struct dlw_order_hold *held,
                            uint32_t n_held)
{
    dlw_chain chain = 0;

    for (uint32_t i = 0; i < n_held; i++) {
        chain = find(order, chain, held[i].node, held[i].mode);
        if (!chain)
            return 0;
    }
    return chain;
}

dlw_chain dlw_chains_find(const struct dlw_order *order, dlw_chain chain, dlw_node node)
{
    while (chain && chain_of(order, chain).node != node)
        chain = chain_of(order, chain).parent;
    return chain;
}

bool dlw_chains_is_subset(const struct dlw_order *order, dlw_chain a, dlw_chain b)
{
    unsigned looked = 0;

    if (a == b)
        return true;
    if (a && chain_of(order, a).depth > chain_of(order, b).depth)
        return false;
    for (; a && a != b; a = chain_of(order, a).parent) {
        const struct chain wanted = chain_of(order, a);
        dlw_chain same = b;
        while (same && chain_of(order, same).node != wanted.node) {
            same = chain_of(order, same).parent;
            if (++looked > SUBSET_BOUND)
                return false;
        }
        if (!same || (wanted.mode == DLW_EXCLUSIVE && chain_of(order, same).mode == DLW_SHARED))
            return false;
    }
    return true;
}
