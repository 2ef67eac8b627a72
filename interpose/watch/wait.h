/*
 * Waits, published and looked through. A thread that begins to wait publishes what for, then looks
 * whether it closes a cycle (graph/waits.h): both sequentially consistent, so that of two threads
 * that close one at the same moment at least one sees it whole.
 *
 * Called with no internal lock held. errno is kept.
 */
#ifndef DLW_WATCH_WAIT_H
#define DLW_WATCH_WAIT_H

#include "interpose/locks/identity.h"
#include "interpose/threads/record.h"

struct dlw_wait_for {
    uintptr_t on;      /* the object */
    uint8_t kind;      /* enum dlw_wait_kind */
    uint8_t lock_kind; /* enum dlw_lock_kind */
    uint8_t mode;      /* enum dlw_mode */
    bool timed;
    bool annotated; /* the program tells of it (dlwatch.h): no frame of ours lies behind it, and how
                       it waits is not known */
    uintptr_t relocks;                 /* a condition wait: the mutex it will take back */
    const struct dlw_lock_ref *orders; /* the lock whose order is learned; NULL: none is */
    const _Atomic bool *is_over; /* set once what it waits for has come; lives as long as the wait;
                                    NULL: nobody sets it */
    uint32_t expected;           /* a futex: it sleeps while this stands there */
    struct dlw_call call;
};

/*
 * What comes before the real call that may sleep, for every primitive: publishes the wait, looks
 * whether it closes a deadlock and reports that, sees to it that a stall is noticed, and learns the
 * order. Then the real call as the program made it, then dlw_wait_end.
 */
void dlw_wait_begin(struct dlw_thread *self, const struct dlw_wait_for *wait);
void dlw_wait_end(struct dlw_thread *self);

/*
 * How many threads wait for mutexes and read-write locks, by a few bits of the lock's address: who
 * finds 0 knows without a look at the lock (whose memory may be anything before it is initialised)
 * that nobody waits for it. More may be too much: other locks share the place, and what a forked
 * child inherits is never taken back.
 */
enum { DLW_WAIT_PLACES = 512 };
extern _Atomic uint32_t dlw_wait_counts[DLW_WAIT_PLACES];

static inline _Atomic uint32_t *dlw_wait_count_of(uintptr_t lock)
{
    return &dlw_wait_counts[(lock >> 3 ^ lock >> 12) % DLW_WAIT_PLACES];
}

static inline bool dlw_wait_may_be_for(const void *lock)
{
    return atomic_load_explicit(dlw_wait_count_of((uintptr_t)lock), memory_order_relaxed) != 0;
}

/*
 * A wait may be left without a return: cancelled, by pthread_exit or by a jump out of a signal
 * handler. No cleanup handler tells us, for in C that is a jump buffer which longjmp would leave
 * registered. longjmp itself says so (dlw_wait_jumps), else the next call of the thread sees it:
 * takes the wait back, and the mutex of a condition wait with it. At the thread's end it is
 * certain, before that the stack tells.
 */
void dlw_wait_left(struct dlw_thread *self);

/* A handler is about to jump, to where the stack pointer is `target` (0: that is not known): if the
 * wait is left by that, it is over. If it is not known, at least nothing interrupts what comes. */
void dlw_wait_jumps(struct dlw_thread *self, uintptr_t target);

/* Looks again for a cycle through this thread, whose wait is published. */
bool dlw_wait_look(struct dlw_thread *self);
/*
 * Every thread has published a wait: looks for cycles over semaphores too, and for those that
 * closed inside libc (a condition wait taking its mutex back), and reports the first, once
 * everybody is seen asleep. The guard is up.
 */
enum dlw_wait_found {
    DLW_WAIT_NO_CYCLE,
    DLW_WAIT_UNPROVEN, /* there is one, if everybody sleeps */
    DLW_WAIT_REPORTED,
};
enum dlw_wait_found dlw_wait_look_all(struct dlw_thread *self);
/*
 * The thread's wait is published, and it was steered into a circle with others. A number for the
 * waits in it, semaphores included, that changes when one of them moves; 0: there is no circle.
 * Then, when they have stood still: reports it.
 */
uint64_t dlw_wait_circle_motion(struct dlw_thread *self);
void dlw_wait_look_steered(struct dlw_thread *self);
/* The caller ends with `lock` in hand: those who wait for it are looked through. */
void dlw_wait_look_waiters(struct dlw_thread *self, uintptr_t lock);

#endif
