#include "interpose/order/acquire.h"

#include "interpose/base/real.h"
#include "interpose/locks/ref.h"
#include "interpose/order/chain_cache.h"
#include "interpose/threads/profile.h"

static DLW_NOINLINE int complete(struct dlw_thread *self, struct dlw_held_lock *held,
                                 _Atomic uint64_t *chain)
{
    struct dlw_call call = {held->pc[0], held->sp, held->fp}; /* before more levels are noted */

    if (!dlw_place_is_plain(call.pc)) {
        uint32_t depth = dlw_held_depth(self);
        dlw_held_note_more(self, held);
        if (__builtin_expect(self->stands != NULL, 0)) {
            if (dlw_held_depth(self) != depth) /* it was given back, and is had again unseen */
                return 0;
            held = dlw_held_at(self, depth - 1);
        }
    }
    if (held == dlw_held_at(self, 0) || held->flags & (DLW_HELD_TRY | DLW_HELD_POOL) ||
        dlw_validate_is_current(self, held->key, chain) ||
        dlw_chain_is_cached(self, held->key, chain))
        return 0;
    struct dlw_lock_ref ref = dlw_lock_ref_of(held);
    dlw_validate_acquired(self, held, &ref, &call);
    return 0;
}

int dlw_acquire_more(struct dlw_thread *self, struct dlw_held_lock *held, _Atomic uint64_t *chain)
{
    /* With a profile asked for no place is plain, and mostly there is nothing else to be done. */
    if (!dlw_profile_is_plain(self, held) || !chain ||
        !dlw_validate_is_current(self, held->key, chain))
        return complete(self, held, chain);
    dlw_profile_count_again(self, held);
    return 0;
}

int dlw_acquire_at(struct dlw_thread *self, void *lock, uint64_t id, _Atomic uint64_t *chain,
                   uint32_t traits, struct dlw_call call)
{
    struct dlw_held_lock *held = dlw_held_push(self, lock, id, traits, call);

    return held ? dlw_acquire_more(self, held, chain) : 0;
}

int dlw_acquire_slow(struct dlw_thread *self, void *lock, uint64_t id, _Atomic uint64_t *chain,
                     uint32_t traits, const struct dlw_frame *from)
{
    return dlw_acquire_at(self, lock, id, chain, traits, dlw_call_of(from));
}
