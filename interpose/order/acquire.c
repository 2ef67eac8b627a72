#include "interpose/order/acquire.h"

#include "interpose/locks/ref.h"
#include "interpose/order/chain_cache.h"

void dlw_acquire_more(struct dlw_thread *self, struct dlw_held_lock *held, _Atomic uint64_t *chain)
{
    struct dlw_call call = {held->pc[0], held->sp, held->fp};
    bool is_nested = held != dlw_held_at(self, 0);

    if (!dlw_place_is_plain(call.pc))
        dlw_held_note_more(self, held);
    if (!is_nested || held->flags & (DLW_HELD_TRY | DLW_HELD_POOL) ||
        dlw_validate_is_current(self, held->key, chain) ||
        dlw_chain_is_cached(self, held->key, chain))
        return;
    struct dlw_lock_ref ref = dlw_lock_ref_of(held);
    dlw_validate_acquired(self, held, &ref, &call);
}

void dlw_acquire_at(struct dlw_thread *self, void *lock, uint64_t id, _Atomic uint64_t *chain,
                    uint32_t traits, struct dlw_call call)
{
    struct dlw_held_lock *held = dlw_held_push(self, lock, id, traits, call);

    if (held)
        dlw_acquire_more(self, held, chain);
}

void dlw_acquire_slow(struct dlw_thread *self, void *lock, uint64_t id, _Atomic uint64_t *chain,
                      uint32_t traits, const struct dlw_frame *from)
{
    dlw_acquire_at(self, lock, id, chain, traits, dlw_call_of(from));
}
