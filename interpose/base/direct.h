/*
 * A plain mutex taken and given back as glibc does it, without the two calls into it: a compare
 * and swap on the lock's word, the owner, the number of users (glibc nptl/pthread_mutex_lock.c,
 * pthread_mutex_unlock.c, sysdeps/nptl/lowlevellock.h). Whoever else uses the lock, libc itself in
 * a condition wait or a library that calls it past us, finds it as it would have left it.
 *
 * Only normal, adaptive and recursive mutexes, without any other bit in their kind, in a process
 * whose libc was seen to do just this: dlw_direct_check(). The thread's `owner` is what libc would
 * write; 0 sends it to libc, so the switch costs no load of its own.
 *
 * Order. Acquire: the exchange that takes the word reads what the last unlock released, as
 * lll_trylock does. Release: lll_unlock exchanges the word with release, after owner and users were
 * stored; a thread that finds 2 there has slept, or is about to: its own exchange to 2 comes before
 * its futex wait, which compares the word in the kernel. So an unlock either sees 2 and wakes, or
 * comes before that exchange, which then takes the free lock. The plain stores of owner and users
 * are made while the word is held, by the holder alone.
 */
#ifndef DLW_BASE_DIRECT_H
#define DLW_BASE_DIRECT_H

#include "graph/base/sys.h"
#include "interpose/base/platform.h"

#include <linux/futex.h>

/* Does libc do what is written here, and does nobody stand between it and us? In the constructor.
 */
bool dlw_direct_check(uint32_t tid, char *const *environment);

/* The kind of a mutex that is taken like this, or another value. */
static inline unsigned dlw_direct_kind(const pthread_mutex_t *mutex)
{
    return (unsigned)mutex->__data.__kind & ~(unsigned)DLW_KIND_NO_ELISION;
}

static inline __attribute__((always_inline)) bool dlw_direct_is_normal(const pthread_mutex_t *mutex)
{
    _Static_assert(PTHREAD_MUTEX_NORMAL == 0, "its kind is no bit");
    return !dlw_arch_has_bits(&mutex->__data.__kind, ~DLW_KIND_NO_ELISION);
}

static inline bool dlw_direct_fits(const pthread_mutex_t *mutex)
{
    unsigned kind = dlw_direct_kind(mutex);

    return kind == PTHREAD_MUTEX_NORMAL || kind == PTHREAD_MUTEX_ADAPTIVE_NP;
}

static inline bool dlw_direct_is_recursive(const pthread_mutex_t *mutex)
{
    return mutex->__data.__kind == PTHREAD_MUTEX_RECURSIVE_NP;
}

/* In a process of one thread libc does without the atomic operation, and so do we. */
static inline __attribute__((always_inline)) bool dlw_direct_take_word(pthread_mutex_t *mutex)
{
    int *word = &mutex->__data.__lock;
    int expected = 0;

    if (!dlw_is_single_threaded())
        return __atomic_compare_exchange_n(word, &expected, 1, false, __ATOMIC_ACQUIRE,
                                           __ATOMIC_RELAXED);
    if (__atomic_load_n(word, __ATOMIC_RELAXED) != 0)
        return false;
    __atomic_store_n(word, 1, __ATOMIC_RELAXED);
    return true;
}

static inline __attribute__((always_inline)) bool dlw_direct_try(pthread_mutex_t *mutex,
                                                                 uint32_t owner)
{
    if (!dlw_direct_take_word(mutex))
        return false;
    __atomic_store_n(&mutex->__data.__owner, (int)owner, __ATOMIC_RELAXED);
    mutex->__data.__nusers++;
    return true;
}

/* A recursive mutex that the thread doesn't hold. The count comes before the owner: a handler in
 * between that finds the owner counts on from there. */
static inline __attribute__((always_inline)) bool dlw_direct_try_first(pthread_mutex_t *mutex,
                                                                       uint32_t owner)
{
    if (!dlw_direct_take_word(mutex))
        return false;
    __atomic_store_n(&mutex->__data.__count, 1, __ATOMIC_RELAXED);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    __atomic_store_n(&mutex->__data.__owner, (int)owner, __ATOMIC_RELAXED);
    mutex->__data.__nusers++;
    return true;
}

/* One that it holds. False: the count is full. */
static inline bool dlw_direct_again(pthread_mutex_t *mutex)
{
    if (mutex->__data.__count + 1 == 0)
        return false;
    mutex->__data.__count++;
    return true;
}

/* Of one that it holds more than once. */
static inline void dlw_direct_unlock_once(pthread_mutex_t *mutex)
{
    mutex->__data.__count--;
}

/* pthread_mutex_init() without attributes. */
static inline __attribute__((always_inline)) void dlw_direct_init(pthread_mutex_t *mutex)
{
    __builtin_memset(mutex, 0, sizeof(*mutex));
}

/* False: it is in use, and libc says so. */
static inline __attribute__((always_inline)) bool dlw_direct_destroy(pthread_mutex_t *mutex)
{
    if (mutex->__data.__nusers != 0)
        return false;
    __atomic_store_n(&mutex->__data.__kind, -1, __ATOMIC_RELAXED);
    return true;
}

/* Wakes one that sleeps on the word. Out of line, so that the fast path keeps no register for it.
 */
void dlw_direct_wake(int *word);

/* By its holder. After the exchange the mutex may be freed by whoever takes it: what is left is a
 * wake-up at its address, which does nothing to memory (as glibc's). */
static inline __attribute__((always_inline)) void dlw_direct_unlock(pthread_mutex_t *mutex)
{
    int *word = &mutex->__data.__lock;

    __atomic_store_n(&mutex->__data.__owner, 0, __ATOMIC_RELAXED);
    mutex->__data.__nusers--;
    if (dlw_is_single_threaded()) {
        __atomic_store_n(word, 0, __ATOMIC_RELAXED);
        return;
    }
    if (__builtin_expect(__atomic_exchange_n(word, 0, __ATOMIC_RELEASE) > 1, 0))
        dlw_direct_wake(word);
}

/* A recursive one that is held once. */
static inline __attribute__((always_inline)) void dlw_direct_unlock_last(pthread_mutex_t *mutex)
{
    __atomic_store_n(&mutex->__data.__count, 0, __ATOMIC_RELAXED);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    dlw_direct_unlock(mutex);
}

#endif
