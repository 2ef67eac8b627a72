/*
 * A lock was taken: what every taking pays. An entry on the held stack, and one compare: the
 * outermost lock with what the thread noted last (outermost.h), a nested one with the key under
 * which it was validated last (validate.h). Whatever else is to be done is out of line.
 */
#ifndef DLW_ORDER_ACQUIRE_H
#define DLW_ORDER_ACQUIRE_H

#include "interpose/order/validate.h"

/* Completes an entry that was just pushed, where the two compares did not settle it. */
void dlw_acquire_more(struct dlw_thread *self, struct dlw_held_lock *held, _Atomic uint64_t *chain);
/* Pushes and completes: where the entry can't simply be pushed, and for callers that aren't hot.
 * dlw_acquire_at is for callers whose own frame may be gone. */
void dlw_acquire_slow(struct dlw_thread *self, void *lock, uint64_t id, _Atomic uint64_t *chain,
                      uint32_t traits, const struct dlw_frame *from);
void dlw_acquire_at(struct dlw_thread *self, void *lock, uint64_t id, _Atomic uint64_t *chain,
                    uint32_t traits, struct dlw_call call);

/* `id` is the lock's mark, and `chain` the other word of it; 0 and NULL where it bears none. The
 * traits are DLW_TRAITS with one level; `from` as in DLW_FRAME. */
static DLW_HOT void dlw_acquire(struct dlw_thread *self, void *lock, uint64_t id,
                                _Atomic uint64_t *chain, uint32_t traits,
                                const struct dlw_frame *from)
{
    uint32_t depth = dlw_held_depth(self);

    if (!dlw_held_is_ready(self, depth)) {
        dlw_acquire_slow(self, lock, id, chain, traits, DLW_FRAME(from));
        return;
    }
    struct dlw_held_lock *held =
        dlw_held_fill(self, depth, lock, id, traits, dlw_call_of(DLW_FRAME(from)));
    bool asks = depth && !(traits & DLW_TRAITS(0, 0, DLW_HELD_TRY | DLW_HELD_POOL, 0));
    bool is_done = dlw_place_is_plain(held->pc[0]) &&
                   (!asks || dlw_validate_is_current(self, held->key, chain));
    if (__builtin_expect(!is_done, 0))
        dlw_acquire_more(self, held, chain);
}

#endif
