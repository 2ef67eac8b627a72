/*
 * The locks a thread took last with nothing else held: what stands between its start and its end.
 *
 * A thread holds its own end, and whatever it takes comes before it (interpose/order/join_order.h).
 * To hold an entry for that on the held stack would make a chain of every lock; so the thread notes
 * the outermost ones in a small direct-mapped table of its own, where the last taker of a place
 * wins. Written by the thread alone; read once it has ended.
 */
#ifndef DLW_THREADS_OUTERMOST_H
#define DLW_THREADS_OUTERMOST_H

#include <stdint.h>

enum { DLW_TAKEN = 32, DLW_TAKEN_LEVELS = 4 };

struct dlw_taken {
    _Alignas(64) uintptr_t lock; /* 0: empty */
    uint64_t id;                 /* its mark then */
    uintptr_t pc[DLW_TAKEN_LEVELS];
    union {
        struct {
            uint8_t kind; /* enum dlw_lock_kind */
            uint8_t mode; /* enum dlw_mode */
            uint8_t flags;
            uint8_t n; /* of pc[] */
        };
        uint32_t traits; /* the four as one word, as in a held lock */
    };
};

_Static_assert(sizeof(struct dlw_taken) == 64, "its place is found by one mask");

/* Locks that lie side by side have places of their own. */
static inline struct dlw_taken *dlw_taken_slot(struct dlw_taken *table, uintptr_t lock)
{
    const uintptr_t places = (DLW_TAKEN - 1) * sizeof(struct dlw_taken);

    return (struct dlw_taken *)(void *)((char *)table + (lock << 1 & places));
}

static inline void dlw_taken_note(struct dlw_taken *slot, uintptr_t lock, uint64_t id,
                                  uint32_t traits, uintptr_t pc)
{
    if (slot->lock == lock && slot->id == id)
        return;
    slot->lock = lock;
    slot->id = id;
    slot->pc[0] = pc;
    slot->traits = traits;
}

#endif
