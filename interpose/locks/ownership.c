#include "interpose/locks/ownership.h"

#include "interpose/base/platform.h"
#include "interpose/base/proc.h"
#include "interpose/locks/identity.h"
#include "interpose/threads/held.h"

#include <string.h>

static uint32_t tid_of(const struct dlw_thread *thread)
{
    return atomic_load_explicit(&thread->tid, memory_order_relaxed);
}

uint32_t dlw_mutex_owner_at(uintptr_t lock)
{
    const pthread_mutex_t *mutex = (const void *)lock; /* NOLINT(performance-no-int-to-ptr) */

    return dlw_mutex_holder(mutex);
}

union lock_copy {
    pthread_mutex_t mutex;
    pthread_rwlock_t rwlock;
    sem_t semaphore;
    pthread_spinlock_t spin;
};

/* A read-write lock names its writer. Of its readers it only says that there are some. */
static bool rwlock_is_owned(const struct dlw_thread *self, const struct dlw_held_lock *held,
                            const pthread_rwlock_t *rwlock)
{
    if (atomic_load_explicit(&held->mode, memory_order_relaxed) == DLW_EXCLUSIVE)
        return dlw_rwlock_writer(rwlock) == tid_of(self);
    return dlw_rwlock_writer(rwlock) == 0 && dlw_rwlock_readers(rwlock) > 0;
}

/* A semaphore says nothing of its owner, but its mark is still the one it was taken with, fresh or
 * not, or has become an identity since; posted by another thread it is a signal. */
static bool semaphore_is_owned(const struct dlw_held_lock *held, sem_t *semaphore, uintptr_t lock)
{
    uint64_t mark = atomic_load_explicit(dlw_semaphore_id(semaphore), memory_order_relaxed);

    if (mark == held->id || !dlw_mark_is_created(held->id))
        return mark == held->id;
    return dlw_lock_mark_is_good(mark, lock) ||
           (dlw_mark_is_created(mark) && (uint32_t)mark == (uint32_t)held->id);
}

/* The lock may have been freed by others, and its memory be gone: the kernel reads it. */
bool dlw_held_is_owned(struct dlw_thread *self, const struct dlw_held_lock *held)
{
    static const size_t sizes[DLW_N_LOCK_KINDS] = {
        [DLW_LOCK_MUTEX] = sizeof(pthread_mutex_t),
        [DLW_LOCK_RWLOCK] = sizeof(pthread_rwlock_t),
        [DLW_LOCK_SEMAPHORE] = sizeof(sem_t),
        [DLW_LOCK_SPIN] = sizeof(pthread_spinlock_t),
    };
    uintptr_t lock = atomic_load_explicit(&held->lock, memory_order_relaxed);
    union lock_copy copy;

    if (held->kind == DLW_LOCK_ONCE || held->kind == DLW_LOCK_GUARD)
        /* a frame further in than ours has returned: the call was left */
        return held->sp > (uintptr_t)__builtin_frame_address(0);
    if (!sizes[held->kind])
        return true;
    enum dlw_proc_reading reading = dlw_proc_try_read(lock, &copy, sizes[held->kind]);
    if (reading == DLW_PROC_GONE)
        return false;
    if (reading == DLW_PROC_UNKNOWN)
        memcpy(&copy, (const void *)lock, sizes[held->kind]); /* NOLINT */
    if (held->kind == DLW_LOCK_MUTEX)
        return dlw_mutex_owner_at((uintptr_t)&copy.mutex) == tid_of(self);
    if (held->kind == DLW_LOCK_RWLOCK)
        return rwlock_is_owned(self, held, &copy.rwlock);
    if (held->kind == DLW_LOCK_SPIN)
        return dlw_spin_is_locked(&copy.spin);
    return semaphore_is_owned(held, &copy.semaphore, lock);
}

void dlw_held_purge(struct dlw_thread *self)
{
    for (uint32_t i = dlw_held_depth(self); i-- > 0;) {
        struct dlw_held_lock *held = dlw_held_at(self, i);
        if (dlw_held_is_there(held) && !dlw_held_is_owned(self, held))
            dlw_held_pop(self, i);
    }
}
