/*
 * From the hot path to the lock-order graph. A lock taken while others are held makes a chain; a
 * chain that was validated is known by its key, which stands in the lock itself (the chain
 * word of its mark) or in the thread's small cache. Only a chain that is in neither is looked up in
 * the graph, and only what the graph doesn't know has its stacks captured.
 *
 * A key stands alone where no other thread's evidence could add anything ("saturated"), else it is
 * mixed with a salt of the thread's present life segment.
 */
#ifndef DLW_ORDER_VALIDATE_H
#define DLW_ORDER_VALIDATE_H

#include "interpose/base/state.h"
#include "interpose/locks/identity.h"
#include "interpose/threads/held.h"

/* Mixed into the keys of requests with a time limit: they are other evidence than those without. */
#define DLW_KEY_TIMED 0x517CC1B727220A95ULL
/* And into those of requests that would drop the GIL before they wait. */
#define DLW_KEY_TRIED 0x2545F4914F6CDD1DULL

/* Cold: what the fast check could not answer. `held` is the lock just taken, the last entry. False:
 * nothing is held that an order could begin with, and nothing will be as long as its key is this.
 */
bool dlw_validate_acquired(struct dlw_thread *self, struct dlw_held_lock *held,
                           const struct dlw_lock_ref *ref, const struct dlw_call *call);

/*
 * The lock just taken, by a try with which CPython begins to wait: it counts as asked for, by one
 * who would have dropped the GIL first. The second says that the chain is known.
 */
void dlw_validate_tried(struct dlw_thread *self, struct dlw_held_lock *held,
                        const struct dlw_lock_ref *ref, const struct dlw_call *call);
bool dlw_validate_was_tried(struct dlw_thread *self, const struct dlw_held_lock *held,
                            const struct dlw_lock_ref *ref);

/*
 * The thread is about to wait for `ref` while it holds others: the same, before the lock is had.
 * `quiet`: a deadlock is being reported for this very wait, so no cycle is looked for.
 */
void dlw_validate_wanted(struct dlw_thread *self, const struct dlw_lock_ref *ref, unsigned mode,
                         bool timed, const struct dlw_call *call, bool quiet);

/* Is it the last chain that the lock was validated under? */
static inline bool dlw_validate_is_current(struct dlw_thread *self, uint64_t key,
                                           _Atomic uint64_t *chain)
{
    uint64_t word = chain ? atomic_load_explicit(chain, memory_order_relaxed) : 0;

    return __builtin_expect(word == key || word == (key ^ self->salt), 1) &&
           self->generation == atomic_load_explicit(&dlw_generation.value, memory_order_relaxed);
}

/* Has this process ever learned an order of two locks? A hint for those who don't hold the lock. */
extern _Atomic bool dlw_orders_are_known;

#endif
