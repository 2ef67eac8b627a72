/*
 * The keys of chains that the thread has validated, and what all its keys begin with: a generation
 * of the order graph and an era of its life.
 */
#ifndef DLW_ORDER_CHAIN_CACHE_H
#define DLW_ORDER_CHAIN_CACHE_H

#include "interpose/base/state.h"
#include "interpose/threads/held.h"

/*
 * Is the key in the thread's own cache? Then it is also stored in the lock's chain word, so that
 * the next taking costs one compare. Two threads that use the same locks in turn take this path:
 * some ns.
 */
bool dlw_chain_is_cached(struct dlw_thread *self, uint64_t key, _Atomic uint64_t *chain);
void dlw_chain_cache_put(struct dlw_thread *self, uint64_t key);

/* The base of all keys carries the generation and the era, the salt the thread's segment. */
void dlw_chain_renew_base(struct dlw_thread *self, uint32_t generation, uint32_t era);
void dlw_chain_renew_salt(struct dlw_thread *self);

#endif
