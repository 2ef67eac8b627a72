/*
 * The locks a thread took last with nothing else held: what stands between its start and its end.
 *
 * A thread holds its own end, and whatever it takes comes before it (interpose/order/join_order.h).
 * To hold an entry for that on the held stack would make a chain of every lock; so the thread notes
 * the outermost ones in a small direct-mapped table of its own, where the last taker of a place
 * wins. Written by the thread alone; read once it has ended.
 *
 * Two things of such a taking matter to whoever joins the thread. Where the thread creates another
 * or comes to a barrier, what it took so far came before all that follows from there: the table
 * moves to the thread's past, under the segment that ends. And if the thread signalled a condition
 * in its last hold of a lock, and in no earlier one, that may be how it says that it is about to
 * end.
 */
#ifndef DLW_THREADS_OUTERMOST_H
#define DLW_THREADS_OUTERMOST_H

#include "graph/life.h"

#include <stdbool.h>
#include <stdint.h>

enum { DLW_OUTERMOST = 32, DLW_OUTERMOST_LEVELS = 4 };

struct dlw_outermost {
    _Alignas(64) uintptr_t lock; /* 0: empty */
    uint64_t id;                 /* its mark when it was taken */
    uintptr_t pc[DLW_OUTERMOST_LEVELS];
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

_Static_assert(sizeof(struct dlw_outermost) == 64, "its place is found by one mask");

/* The same as the joiner gets it. */
struct dlw_was_taken {
    struct dlw_outermost taken;
    dlw_segment segment; /* it was taken in this one at the latest, with a reference; 0: the last */
    uintptr_t condition; /* signalled in the last hold and in no earlier one; 0: none */
    bool is_kept;        /* held at the thread's end */
};

/* A hold in which the thread signalled. Its entry in the table is cleared, so that a later hold of
 * the same lock shows. */
struct dlw_parting {
    struct dlw_outermost taken; /* lock 0: none */
    uintptr_t condition;
    bool is_repeated; /* it signalled in an earlier hold too */
};

struct dlw_thread;

/* The thread is about to create another or to arrive at a barrier. With the graph lock held. */
void dlw_outermost_close_locked(struct dlw_thread *self);
/* It signals a condition while it holds something. */
void dlw_outermost_signals(struct dlw_thread *self, const void *condition);
/* All that the thread took, at its end: no more than so many, and DLW_TAKEN_MOST; returns how many
 * were written. References go with them. With the graph lock held. */
enum { DLW_TAKEN_MOST = 2 * DLW_OUTERMOST + 1 };
uint32_t dlw_outermost_count(const struct dlw_thread *self);
uint32_t dlw_outermost_collect_locked(struct dlw_thread *self, struct dlw_was_taken *out);
/* Gives back what is left of the past when nobody will ask. With the graph lock held. */
void dlw_outermost_drop_locked(struct dlw_thread *self);

/* Locks that lie side by side in memory get different slots. */
static inline struct dlw_outermost *dlw_outermost_slot(struct dlw_outermost *table, uintptr_t lock)
{
    const uintptr_t places = (DLW_OUTERMOST - 1) * sizeof(struct dlw_outermost);

    return (struct dlw_outermost *)(void *)((char *)table + (lock << 1 & places));
}

static inline void dlw_outermost_note(struct dlw_outermost *slot, uintptr_t lock, uint64_t id,
                                      uint32_t traits, uintptr_t pc)
{
    if (__builtin_expect(slot->lock == lock && slot->id == id, 1))
        return;
    slot->lock = lock;
    slot->id = id;
    slot->pc[0] = pc;
    slot->traits = traits;
}

#endif
