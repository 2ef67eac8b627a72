/*
 * Held sets as chains: each is a parent and one lock more, and equal ones are
 * one record. Taking a lock under ten thousand others costs one lookup.
 */
#include "graph/order_private.h"

enum { SUBSET_BOUND = 64 };

static uint32_t hash_of(dlw_chain parent, dlw_node node, unsigned mode)
{
    return (uint32_t)dlw_mix((uint64_t)parent << 32 | node << 1 | mode);
}

static uint32_t chain_hash(const void *owner, uint32_t id)
{
    const struct chain *chain = chain_at(owner, id);

    return hash_of(chain->parent, chain->node, chain->mode);
}

static uint32_t *chain_next(const void *owner, uint32_t id)
{
    return &chain_at(owner, id)->hash_next;
}

bool dlw_chains_init(struct dlw_order *order)
{
    order->chain_index = (struct dlw_index){
        .arena = order->arena, .owner = order, .hash = chain_hash, .next = chain_next};
    return dlw_index_init(&order->chain_index);
}

static dlw_chain find(const struct dlw_order *order, dlw_chain parent, dlw_node node, unsigned mode)
{
    dlw_chain id = dlw_index_first(&order->chain_index, hash_of(parent, node, mode));

    while (id) {
        const struct chain *chain = chain_at(order, id);
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
        chain_at(order, id)->refs++;
        return id;
    }
    id = dlw_pool_alloc(&order->chains);
    if (!id)
        return 0;
    struct chain *chain = chain_at(order, id);
    chain->parent = parent;
    chain->node = node;
    chain->mode = mode != DLW_EXCLUSIVE;
    chain->refs = 1;
    chain->depth = 1;
    if (parent) {
        chain_at(order, parent)->refs++;
        chain->depth += chain_at(order, parent)->depth;
    }
    node_at(order, node)->pins++;
    dlw_index_insert(&order->chain_index, id);
    return id;
}

void dlw_order_chain_ref(struct dlw_order *order, dlw_chain chain)
{
    if (chain)
        chain_at(order, chain)->refs++;
}

void dlw_order_chain_unref(struct dlw_order *order, dlw_chain id)
{
    while (id) {
        struct chain *chain = chain_at(order, id);
        if (--chain->refs > 0)
            return;
        dlw_chain parent = chain->parent;
        dlw_node node = chain->node;
        dlw_index_remove(&order->chain_index, id);
        dlw_pool_free(&order->chains, id);
        node_at(order, node)->pins--;
        dlw_order_release_node(order, node);
        id = parent;
    }
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
    while (chain && chain_at(order, chain)->node != node)
        chain = chain_at(order, chain)->parent;
    return chain;
}

bool dlw_chains_is_subset(const struct dlw_order *order, dlw_chain a, dlw_chain b)
{
    unsigned looked = 0;

    if (a == b)
        return true;
    if (a && chain_at(order, a)->depth > chain_at(order, b)->depth)
        return false;
    for (; a && a != b; a = chain_at(order, a)->parent) {
        dlw_chain same = b;
        while (same && chain_at(order, same)->node != chain_at(order, a)->node) {
            same = chain_at(order, same)->parent;
            if (++looked > SUBSET_BOUND)
                return false;
        }
        if (!same || (chain_at(order, a)->mode == DLW_EXCLUSIVE &&
                      chain_at(order, same)->mode == DLW_SHARED))
            return false;
    }
    return true;
}
