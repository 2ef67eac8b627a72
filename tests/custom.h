/*
 * A lock that only the program knows: one word, slept on with futex; -1 is a writer, else the
 * number of readers. What it does is told through dlwatch.h.
 */
#ifndef DLW_TESTS_CUSTOM_H
#define DLW_TESTS_CUSTOM_H

#include "interpose/include/dlwatch.h"

#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

struct custom {
    int word;
};

static inline int custom_get(struct custom *lock, int how)
{
    int seen = __atomic_load_n(&lock->word, __ATOMIC_RELAXED);
    int is_free = how & DLWATCH_SHARED ? seen >= 0 : seen == 0;

    return is_free &&
           __atomic_compare_exchange_n(&lock->word, &seen, how & DLWATCH_SHARED ? seen + 1 : -1, 0,
                                       __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

static inline void custom_lock(struct custom *lock, int how)
{
    while (!custom_get(lock, how)) {
        int seen = __atomic_load_n(&lock->word, __ATOMIC_RELAXED);
        dlwatch_wants(lock, how);
        if (seen != 0)
            syscall(SYS_futex, &lock->word, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
    }
    dlwatch_acquired(lock, how);
}

static inline int custom_try(struct custom *lock, int how)
{
    if (!custom_get(lock, how))
        return 0;
    dlwatch_acquired(lock, how | DLWATCH_TRY);
    return 1;
}

/* False when the lock was not to be had within 10 ms. */
static inline int custom_timed(struct custom *lock, int how)
{
    struct timespec limit = {0, 10000000};

    if (!custom_get(lock, how)) {
        dlwatch_wants(lock, how | DLWATCH_TIMED);
        syscall(SYS_futex, &lock->word, FUTEX_WAIT_PRIVATE,
                __atomic_load_n(&lock->word, __ATOMIC_RELAXED), &limit, NULL, 0);
        if (!custom_get(lock, how)) {
            dlwatch_gave_up(lock);
            return 0;
        }
    }
    dlwatch_acquired(lock, how | DLWATCH_TIMED);
    return 1;
}

static inline void custom_free(struct custom *lock)
{
    if (__atomic_load_n(&lock->word, __ATOMIC_RELAXED) < 0)
        __atomic_store_n(&lock->word, 0, __ATOMIC_RELEASE);
    else
        __atomic_sub_fetch(&lock->word, 1, __ATOMIC_RELEASE);
    syscall(SYS_futex, &lock->word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

static inline void custom_unlock(struct custom *lock)
{
    dlwatch_released(lock);
    custom_free(lock);
}

#define OWN(lock) custom_lock(&(lock), DLWATCH_EXCLUSIVE)
#define SHARE(lock) custom_lock(&(lock), DLWATCH_SHARED)
#define DISOWN(lock) custom_unlock(&(lock))

#endif
