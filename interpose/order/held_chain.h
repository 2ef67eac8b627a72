/*
 * The locks that a thread holds, as the order graph knows them: each by its node, all of them as an
 * interned chain (graph/order/order.h). All of it by the thread itself; `_locked`: with the graph
 * lock held.
 */
#ifndef DLW_ORDER_HELD_CHAIN_H
#define DLW_ORDER_HELD_CHAIN_H

#include "interpose/base/state.h"
#include "interpose/locks/identity.h"
#include "interpose/threads/held.h"

/* So many of the innermost held locks give edges: as the order graph's. */
enum { DLW_HELD_WINDOW = 16 };

/*
 * CPython's global lock. A line of Python that waits for a lock drops it before, so it is no step
 * to that lock, and no gate. It stands in no interned chain: where it is a gate it comes on top of
 * that of one question.
 */
static inline bool dlw_held_is_gil(const struct dlw_held_lock *held)
{
    return held->kind == DLW_LOCK_GIL;
}

/* A lock that is still held, and gives edges: no unit of a pool. */
static inline bool dlw_held_is_counted(const struct dlw_held_lock *held)
{
    return dlw_held_is_there(held) && !(held->flags & DLW_HELD_POOL);
}

/* The innermost entry below `n` whose interned chain is still that of its key; -1: none. */
int dlw_held_chain_innermost(struct dlw_thread *self, uint32_t n);
/* The same lock may be held twice (a reader that reads again): it counts once, where it came first.
 */
bool dlw_held_chain_has_below(struct dlw_thread *self, uint32_t i);
/* Nodes of the entries that have none, or that lie within the window, from the outermost of them
 * on. */
bool dlw_held_chain_resolve_locked(struct dlw_thread *self, uint32_t n, uint32_t from);
/*
 * The interned chain of the first `n` entries. Each entry keeps the reference to its own until the
 * place is used for another (here, or at the thread's end), so a push costs nothing.
 */
bool dlw_held_chain_intern_locked(struct dlw_thread *self, uint32_t n, dlw_chain *out);

#endif
