/* The three-state futex lock of U. Drepper, "Futexes Are Tricky" (2011), section 5. */
#include "graph/base/lock.h"

#include "graph/base/sys.h"

#include <errno.h>
#include <linux/futex.h>
#include <stddef.h>
#include <time.h>

#ifdef DLW_CHECK_RANKS
static _Thread_local uint32_t held_ranks;

static void rank_push(const struct dlw_lock *lock)
{
    if (held_ranks >> lock->rank)
        __builtin_trap();
    held_ranks |= 1U << lock->rank;
}

static void rank_pop(const struct dlw_lock *lock)
{
    held_ranks &= ~(1U << lock->rank);
}
#else
static void rank_push(const struct dlw_lock *lock)
{
    (void)lock;
}

static void rank_pop(const struct dlw_lock *lock)
{
    (void)lock;
}
#endif

/* From here on nobody waits: after a failure, or in a child whose locks may be held by threads that
 * it doesn't have. Relaxed: who sees it late waits with a limit. */
static _Atomic uint32_t waits_no_more;
static _Atomic uint64_t n_given_up;
void (*dlw_lock_on_failure)(void);

void dlw_lock_open_all(void)
{
    atomic_store_explicit(&waits_no_more, 1, memory_order_relaxed);
}

void dlw_lock_wait_again(void)
{
    atomic_store_explicit(&waits_no_more, 0, memory_order_relaxed);
}

uint64_t dlw_locks_given_up(void)
{
    return atomic_load_explicit(&n_given_up, memory_order_relaxed);
}

/* Sleeps that ended for no other reason than their limit are counted, not time: a process that is
 * stopped and goes on has lost one at most. */
enum { SLEEP_NS = 100000000, SLEEPS_TO_SKIP = 10, SLEEPS = 50 };

/* False: still held. */
static int wait_until_free(struct dlw_lock *lock, unsigned sleeps)
{
    const struct timespec limit = {0, SLEEP_NS};

    while (atomic_exchange_explicit(&lock->word, 2, memory_order_acquire) != 0) {
        if (sleeps == 0 || atomic_load_explicit(&waits_no_more, memory_order_relaxed))
            return 0;
        if (dlw_syscall(SYS_futex, &lock->word, FUTEX_WAIT_PRIVATE, 2, &limit) == -ETIMEDOUT)
            sleeps--;
    }
    return 1;
}

static int acquire(struct dlw_lock *lock, unsigned sleeps)
{
    uint32_t seen = 0;

    rank_push(lock);
    if (atomic_compare_exchange_strong_explicit(&lock->word, &seen, 1, memory_order_acquire,
                                                memory_order_relaxed) ||
        wait_until_free(lock, sleeps))
        return 1;
    rank_pop(lock);
    atomic_fetch_add_explicit(&n_given_up, 1, memory_order_relaxed);
    return 0;
}

int dlw_lock_acquire(struct dlw_lock *lock)
{
    if (acquire(lock, SLEEPS))
        return 1;
    dlw_lock_open_all();
    if (dlw_lock_on_failure)
        dlw_lock_on_failure();
    return 0;
}

int dlw_lock_acquire_or_skip(struct dlw_lock *lock)
{
    uint32_t is_stuck = atomic_load_explicit(&lock->is_stuck, memory_order_relaxed);

    if (acquire(lock, is_stuck ? 0 : SLEEPS_TO_SKIP))
        return 1;
    atomic_store_explicit(&lock->is_stuck, 1, memory_order_relaxed);
    return 0;
}

int dlw_lock_try(struct dlw_lock *lock)
{
    uint32_t seen = 0;

    if (!atomic_compare_exchange_strong_explicit(&lock->word, &seen, 1, memory_order_acquire,
                                                 memory_order_relaxed))
        return 0;
    rank_push(lock);
    return 1;
}

void dlw_lock_release(struct dlw_lock *lock)
{
    rank_pop(lock);
    /* One that gives up just now sets it again: the next holder clears it. */
    if (atomic_load_explicit(&lock->is_stuck, memory_order_relaxed))
        atomic_store_explicit(&lock->is_stuck, 0, memory_order_relaxed);
    if (atomic_exchange_explicit(&lock->word, 0, memory_order_release) == 2)
        dlw_syscall(SYS_futex, &lock->word, FUTEX_WAKE_PRIVATE, 1);
}

void dlw_lock_reset(struct dlw_lock *lock)
{
    rank_pop(lock);
    atomic_store_explicit(&lock->is_stuck, 0, memory_order_relaxed);
    atomic_store_explicit(&lock->word, 0, memory_order_relaxed);
}
