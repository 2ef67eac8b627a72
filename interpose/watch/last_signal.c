#include "interpose/watch/last_signal.h"

#include "interpose/base/hash.h"
#include "interpose/watch/motion.h"

enum { SLOTS = 512, PC_BITS = 48 };

/* All relaxed. `where` has the place and the thread in one word, so that they belong together. Two
 * signals at once may leave the count one short (a locked addition costs more than the signal), and
 * either as the last; those under the condition's mutex are never at once. */
struct slot {
    _Atomic uintptr_t condition;
    _Atomic uint64_t where;
    _Atomic uint64_t count;
    _Atomic uint64_t after;
};
static struct slot slots[SLOTS];
/* Two conditions have met in this slot: what it says of a third is nothing. */
static _Atomic bool is_shared[SLOTS];

static uint32_t place_of(uintptr_t condition)
{
    return (uint32_t)((uint64_t)condition * DLW_GOLDEN >> 32) % SLOTS;
}

static void take_over(struct slot *slot, uint32_t at, uintptr_t condition)
{
    if (atomic_load_explicit(&slot->condition, memory_order_relaxed))
        atomic_store_explicit(&is_shared[at], true, memory_order_relaxed);
    atomic_store_explicit(&slot->count, 0, memory_order_relaxed);
    atomic_store_explicit(&slot->condition, condition, memory_order_relaxed);
}

void dlw_last_signal_note(const struct dlw_thread *self, const void *condition, uintptr_t pc)
{
    uint32_t at = place_of((uintptr_t)condition);
    struct slot *slot = &slots[at];
    uint64_t thread = self->id >> (64 - PC_BITS) ? 0 : self->id;

    if (atomic_load_explicit(&slot->condition, memory_order_relaxed) != (uintptr_t)condition)
        take_over(slot, at, (uintptr_t)condition);
    atomic_store_explicit(&slot->where, thread << PC_BITS | (pc & ((1ULL << PC_BITS) - 1)),
                          memory_order_relaxed);
    atomic_store_explicit(&slot->after, dlw_motion_waits_begun(), memory_order_relaxed);
    uint64_t count = atomic_load_explicit(&slot->count, memory_order_relaxed);
    atomic_store_explicit(&slot->count, count + 1, memory_order_relaxed);
}

void dlw_last_signal_forget(const void *condition)
{
    struct slot *slot = &slots[place_of((uintptr_t)condition)];

    if (atomic_load_explicit(&slot->condition, memory_order_relaxed) == (uintptr_t)condition)
        atomic_store_explicit(&slot->count, 0, memory_order_relaxed);
}

bool dlw_last_signal_find(uintptr_t condition, struct dlw_signal_facts *out)
{
    uint32_t at = place_of(condition);
    const struct slot *slot = &slots[at];

    *out = (struct dlw_signal_facts){0};
    if (atomic_load_explicit(&is_shared[at], memory_order_relaxed))
        return false;
    if (atomic_load_explicit(&slot->condition, memory_order_relaxed) != condition)
        return true;
    uint64_t where = atomic_load_explicit(&slot->where, memory_order_relaxed);
    out->count = atomic_load_explicit(&slot->count, memory_order_relaxed);
    out->thread = (uint32_t)(where >> PC_BITS);
    out->pc = (uintptr_t)(where & ((1ULL << PC_BITS) - 1));
    out->after = atomic_load_explicit(&slot->after, memory_order_relaxed);
    return true;
}
