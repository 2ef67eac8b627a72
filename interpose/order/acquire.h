/*
 * A lock was taken: what every taking pays. An entry on the held stack, and one compare: the
 * outermost lock with what the thread noted last (outermost.h), a nested one with the key under
 * which it was validated last (validate.h). Whatever else is to be done is out of line.
 */
#ifndef DLW_ORDER_ACQUIRE_H
#define DLW_ORDER_ACQUIRE_H

#include "interpose/order/validate.h"

/* Completes an entry that was just pushed, where the two compares did not settle it. Returns 0. */
int dlw_acquire_more(struct dlw_thread *self, struct dlw_held_lock *held, _Atomic uint64_t *chain);
/* Pushes and completes: where the entry can't simply be pushed, and for callers that aren't hot.
 * dlw_acquire_at is for callers whose own frame may be gone. Return 0. */
int dlw_acquire_slow(struct dlw_thread *self, void *lock, uint64_t id, _Atomic uint64_t *chain,
                     uint32_t traits, const struct dlw_frame *from);
int dlw_acquire_at(struct dlw_thread *self, void *lock, uint64_t id, _Atomic uint64_t *chain,
                   uint32_t traits, struct dlw_call call);

/*
 * `id` is the lock's mark, and `chain` the other word of it; 0 and NULL where it bears none. The
 * traits are DLW_TRAITS with one level; `from` as in DLW_FRAME. Returns 0, as a wrapper does that
 * has the lock: one that ends with this call keeps nothing in registers that it must save first.
 */
static DLW_HOT int dlw_acquire(struct dlw_thread *self, void *lock, uint64_t id,
                               _Atomic uint64_t *chain, uint32_t traits,
                               const struct dlw_frame *from)
{
    uint32_t depth = dlw_held_depth(self);

    if (!dlw_held_is_ready(self, depth))
        return dlw_in_frame(dlw_acquire_slow(self, lock, id, chain, traits, DLW_FRAME(from)));
    struct dlw_held_lock *held = dlw_held_claim(self, depth);
    /* Once for each case, in which less is asked: then all fits into the registers that a function
     * need not save. */
    if (depth == 0) {
        uintptr_t pc = dlw_held_fill_from(self, held, 0, lock, id, traits, DLW_FRAME(from), NULL);
        return __builtin_expect(dlw_place_is_plain(pc), 1) ? 0 : dlw_held_note_more(self, held);
    }
    uintptr_t pc = dlw_held_fill_from(self, held, depth, lock, id, traits, DLW_FRAME(from), NULL);
    bool asks = !(traits & DLW_TRAITS(0, 0, DLW_HELD_TRY | DLW_HELD_POOL, 0));
    bool is_done =
        dlw_place_is_plain(pc) && (!asks || dlw_validate_is_current(self, held->key, chain));
    return __builtin_expect(is_done, 1) ? 0 : dlw_acquire_more(self, held, chain);
}

#endif
