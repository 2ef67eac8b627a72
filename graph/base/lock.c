/* The three-state futex lock of U. Drepper, "Futexes Are Tricky" (2011), section 5. */
#include "graph/base/lock.h"

#include "graph/base/sys.h"

#include <linux/futex.h>
#include <stddef.h>

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

/* Set in a process of one thread, before it makes others; read by those (relaxed). */
static _Atomic uint32_t are_open;

void dlw_lock_open_all(void)
{
    atomic_store_explicit(&are_open, 1, memory_order_relaxed);
}

void dlw_lock_acquire(struct dlw_lock *lock)
{
    uint32_t seen = 0;

    rank_push(lock);
    if (atomic_compare_exchange_strong_explicit(&lock->word, &seen, 1, memory_order_acquire,
                                                memory_order_relaxed))
        return;
    if (seen != 2)
        seen = atomic_exchange_explicit(&lock->word, 2, memory_order_acquire);
    while (seen != 0 && !atomic_load_explicit(&are_open, memory_order_relaxed)) {
        dlw_syscall(SYS_futex, &lock->word, FUTEX_WAIT_PRIVATE, 2, NULL);
        seen = atomic_exchange_explicit(&lock->word, 2, memory_order_acquire);
    }
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
    if (atomic_exchange_explicit(&lock->word, 0, memory_order_release) == 2)
        dlw_syscall(SYS_futex, &lock->word, FUTEX_WAKE_PRIVATE, 1);
}

void dlw_lock_reset(struct dlw_lock *lock)
{
    rank_pop(lock);
    atomic_store_explicit(&lock->word, 0, memory_order_relaxed);
}
