/*
 * The library's own mutual exclusion: a futex word that no pthread wrapper
 * sees, with a rank. Locks are taken in rising rank only; a build with
 * DLW_CHECK_RANKS proves it on every acquisition and traps where it is not so.
 *
 * A process forked while another thread holds one finds it held for ever:
 * interpose/fork.c takes all of them in rank order around fork and
 * re-initialises them in the child.
 *
 * Nobody waits for one without limit: its holder may be stopped for as long as
 * it takes, by a debugger or in a signal handler of the program. Who gives up
 * has touched nothing, and skips what it wanted to do.
 */
#ifndef DLW_BASE_LOCK_H
#define DLW_BASE_LOCK_H

#include <stdatomic.h>
#include <stdint.h>

/* The order of all internal locks, outermost first. libunwind has locks of its own: it is called
 * with DLW_RANK_UNWIND held and no other, so that they lie behind that one. So does the loader, of
 * which modules are asked for with DLW_RANK_LOADER held and no other. */
enum dlw_rank {
    DLW_RANK_LOADER = 1, /* tables of calls that are written over (interpose/base/patch.h) */
    DLW_RANK_STEER,      /* who is paused, and who is let go (interpose/steer/pause.h) */
    DLW_RANK_ENDS,       /* destructors that run at threads' ends */
    DLW_RANK_JOINABLES,  /* threads that may still be joined */
    DLW_RANK_THREADS,    /* list and table of thread records */
    DLW_RANK_PROFILE,    /* what locks cost, of ended threads */
    DLW_RANK_GRAPH,      /* lock records, order graph, clocks */
    DLW_RANK_STACKS,     /* interned stacks and modules */
    DLW_RANK_LINES,      /* interned lines of Python */
    DLW_RANK_ORPHANS,    /* locks whose holder is no more */
    DLW_RANK_UNWIND,     /* unwind rules, and libunwind itself: held while it is called */
    DLW_RANK_EMIT,       /* journal buffer and its bookkeeping */
};

struct dlw_lock {
    _Atomic uint32_t word; /* 0 free, 1 held, 2 held with sleepers */
    uint32_t rank;
    _Atomic uint32_t is_stuck; /* somebody gave up waiting for its present holder */
};

#define DLW_LOCK_INIT(r)                                                                           \
    {                                                                                              \
        0, (r), 0                                                                                  \
    }

/*
 * Waits until the lock is free and takes it (acquire; pairs with unlock's release). Zero: it is
 * still held after five seconds; the caller must not touch what it guards. What is skipped then
 * makes later answers wrong (a join, the end of a lock), so that dlw_lock_on_failure is called, and
 * from then on nobody waits for any lock.
 */
__attribute__((warn_unused_result)) int dlw_lock_acquire(struct dlw_lock *lock);
/* For what can be skipped, since it will be done another time or is only missed: gives up after a
 * second, and at once while the lock is with a holder that others gave up waiting for. */
__attribute__((warn_unused_result)) int dlw_lock_acquire_or_skip(struct dlw_lock *lock);
extern void (*dlw_lock_on_failure)(void);
/* How often one of the two came to nothing. */
uint64_t dlw_locks_given_up(void);
/* Takes the lock if it is free: nonzero on success. Never sleeps; checks no rank. */
int dlw_lock_try(struct dlw_lock *lock);
void dlw_lock_release(struct dlw_lock *lock);
/* In a child that was forked with locks in an unknown state: from here on nobody waits for any. */
void dlw_lock_open_all(void);
/* In such a child, when it has found all of them free. */
void dlw_lock_wait_again(void);
/* In a forked child only: makes the lock free whoever held it. */
void dlw_lock_reset(struct dlw_lock *lock);

#endif
