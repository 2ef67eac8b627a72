/*
 * Is anybody awake? Asked by each thread that begins to wait without limit, so it must be cheap:
 * one word counts the waits that have begun, and the threads that are in one without limit now. It
 * is a hint, never a proof: a thread that has been woken is counted until it runs.
 */
#ifndef DLW_WATCH_MOTION_H
#define DLW_WATCH_MOTION_H

#include "interpose/threads/record.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Waits begun so far, by all threads, above the number of threads that wait without limit now.
 * Sequentially consistent throughout; pairs with the number of threads alive (thread.h). */
extern _Atomic uint64_t dlw_waits;
enum { DLW_WAITS_BEGUN = 1 << 24 };

/* As the calling thread's wait is published, and over. The first returns its number. */
uint64_t dlw_motion_falls_asleep(struct dlw_thread *self);
void dlw_motion_wakes(struct dlw_thread *self);

static inline uint64_t dlw_motion_waits_begun(void)
{
    return atomic_load_explicit(&dlw_waits, memory_order_seq_cst) / DLW_WAITS_BEGUN;
}

/* The hint. */
bool dlw_motion_all_wait(void);

/* Threads that wait for a semaphore with something in hand: part of a cycle, perhaps. */
extern _Atomic uint32_t dlw_semaphore_waits;
static inline bool dlw_motion_any_semaphore(void)
{
    return atomic_load_explicit(&dlw_semaphore_waits, memory_order_relaxed) != 0;
}

/* A condition or semaphore is about to be signalled by this thread. */
void dlw_motion_signals(struct dlw_thread *self, const void *object);

/* Has one of those that wait certainly been woken by the calling thread, or with it, and not run
 * yet? Of many threads it is mostly the same one as last time. Takes the threads lock. */
bool dlw_motion_any_woken(struct dlw_thread *self);

/* One visit of all threads. */
struct dlw_motion {
    bool all;                  /* wait without limit, as they say */
    bool any_semaphore;        /* one waits for a semaphore with something in hand */
    uint64_t sum;              /* changes when any thread has moved */
    uint64_t since;            /* the last of them fell asleep, ns */
    struct dlw_thread *sentry; /* that would notice an interruption least; NULL: all would */
};
/* `self` is the calling thread, or NULL when it is about to end. Takes the threads lock. */
struct dlw_motion dlw_motion_scan(struct dlw_thread *self);
/* Does everybody still wait as at that scan? */
bool dlw_motion_is_none(struct dlw_thread *self, uint64_t sum);

/* In the child: the calling thread alone is left. */
void dlw_motion_after_fork(const struct dlw_thread *self);

#endif
