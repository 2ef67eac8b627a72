/*
 * The locks a thread took last with nothing else held: what stands between its start and its end.
 *
 * A thread holds its own end, and whatever it takes comes before it (interpose/joined.h). To hold
 * an entry for that on the held stack would make a chain of every lock; so the thread notes the
 * outermost ones in a small direct-mapped table of its own, where the last taker of a place wins.
 * One compare on the hot path when the lock was noted before. Written by the thread alone; read
 * once it has ended.
 */
#ifndef DLW_TAKEN_H
#define DLW_TAKEN_H

#include <stdint.h>

enum { DLW_TAKEN = 32, DLW_TAKEN_LEVELS = 4 };

struct dlw_taken {
    uintptr_t lock; /* 0: empty */
    uint64_t id;    /* its mark then */
    uintptr_t pc[DLW_TAKEN_LEVELS];
    uint8_t kind; /* enum dlw_lock_kind */
    uint8_t mode; /* enum dlw_mode */
    uint8_t n;    /* of pc[] */
};

static inline struct dlw_taken *dlw_taken_slot(struct dlw_taken *table, uintptr_t lock)
{
    return &table[(lock >> 4 ^ lock >> 9) % DLW_TAKEN];
}

#endif
