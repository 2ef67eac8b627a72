#include "interpose/order/held_chain.h"

#include "interpose/locks/ownership.h"
#include "interpose/locks/ref.h"

/*
 * The lock is touched only when it has no identity yet that the entry knows, and then only when its
 * own word says that it is this thread's: another may have released and freed it, and a mark would
 * go into what lies there now.
 */
static bool resolve_entry_locked(struct dlw_thread *self, uint32_t i)
{
    struct dlw_held_lock *held = dlw_held_at(self, i);
    uintptr_t lock = atomic_load_explicit(&held->lock, memory_order_relaxed);

    held->node = dlw_lock_of_mark_locked(lock, held->id);
    if (held->node)
        return true;
    /* One of the program's own kind is known by address alone. */
    if (held->kind != DLW_LOCK_CUSTOM && !dlw_held_is_owned(self, held)) {
        dlw_held_disown(self, lock);
        return true;
    }
    struct dlw_lock_ref ref = dlw_lock_ref_of(held);
    held->node = dlw_lock_node_locked(&ref);
    uint64_t id = dlw_lock_id_of(&ref);
    /* A semaphore that was made taken keeps its old id, so that its chains are asked again once it
     * has another. */
    if (held->id != id && !(held->flags & DLW_HELD_MADE)) {
        held->id = id;
        if (i < self->stale_above)
            self->stale_above = i;
    }
    return held->node != 0;
}

int dlw_held_chain_innermost(struct dlw_thread *self, uint32_t n)
{
    for (uint32_t i = n; i-- > 0;) {
        const struct dlw_held_lock *held = dlw_held_at(self, i);
        if (dlw_held_is_counted(held) && held->chain && held->chain_key == held->key)
            return (int)i;
    }
    return -1;
}

bool dlw_held_chain_has_below(struct dlw_thread *self, uint32_t i)
{
    uintptr_t lock = atomic_load_explicit(&dlw_held_at(self, i)->lock, memory_order_relaxed);
    uint32_t from = i > DLW_HELD_WINDOW ? i - DLW_HELD_WINDOW : 0;

    for (uint32_t k = from; k < i; k++)
        if (atomic_load_explicit(&dlw_held_at(self, k)->lock, memory_order_relaxed) == lock)
            return true;
    return false;
}

bool dlw_held_chain_resolve_locked(struct dlw_thread *self, uint32_t n, uint32_t from)
{
    for (uint32_t i = from; i < n; i++)
        if (dlw_held_is_counted(dlw_held_at(self, i)) && !resolve_entry_locked(self, i))
            return false;
    if (self->stale_above != self->room - 1)
        dlw_held_rekey(self);
    return true;
}

/* A unit of a small pool gives no edges. It counts as a gate where too few units are left for all
 * sides of a cycle. */
static bool resolve_pool_locked(struct dlw_held_lock *held)
{
    uintptr_t lock = atomic_load_explicit(&held->lock, memory_order_relaxed);

    if (!dlw_held_is_there(held) || !(held->flags & DLW_HELD_POOL))
        return false;
    held->node = dlw_lock_pool_locked(lock, held->id);
    return held->node != 0;
}

bool dlw_held_chain_intern_locked(struct dlw_thread *self, uint32_t n, dlw_chain *out)
{
    int base = dlw_held_chain_innermost(self, n);

    *out = base < 0 ? 0 : dlw_held_at(self, (uint32_t)base)->chain;
    for (uint32_t i = (uint32_t)(base + 1); i < n; i++) {
        struct dlw_held_lock *held = dlw_held_at(self, i);
        bool is_unit = !dlw_held_is_counted(held) && resolve_pool_locked(held);
        if ((!dlw_held_is_counted(held) && !is_unit) || dlw_held_is_gil(held))
            continue;
        dlw_chain chain = *out;
        if (dlw_held_chain_has_below(self, i))
            dlw_order_chain_ref(dlw_order_graph, chain);
        else
            chain = dlw_order_chain_push(
                dlw_order_graph, *out, held->node,
                is_unit ? DLW_SHARED : atomic_load_explicit(&held->mode, memory_order_relaxed));
        if (!chain)
            return false;
        dlw_order_chain_unref(dlw_order_graph, held->chain);
        held->chain = chain;
        held->chain_key = held->key;
        if (i >= self->interned)
            self->interned = i + 1;
        *out = chain;
    }
    return true;
}
