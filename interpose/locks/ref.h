/*
 * References to locks: from the object that the program names, or from its address and kind. The
 * memory of the lock is read.
 */
#ifndef DLW_LOCKS_REF_H
#define DLW_LOCKS_REF_H

#include "interpose/base/platform.h"
#include "interpose/base/state.h"
#include "interpose/locks/identity.h"

/* May a mark stand in it? In memory that other processes share it would be theirs too. */
static inline bool dlw_mutex_has_mark(const pthread_mutex_t *mutex)
{
    return dlw_marks_are_on && !(dlw_mutex_kind(mutex) & (DLW_KIND_ROBUST | DLW_KIND_SHARED)) &&
           (uintptr_t)mutex % 8 == 0;
}

static inline bool dlw_rwlock_has_mark(const pthread_rwlock_t *rwlock)
{
    return dlw_marks_are_on && !dlw_rwlock_is_shared(rwlock) && (uintptr_t)rwlock % 8 == 0;
}

struct dlw_lock_ref dlw_mutex_ref(pthread_mutex_t *mutex);
struct dlw_lock_ref dlw_rwlock_ref(pthread_rwlock_t *rwlock);
struct dlw_lock_ref dlw_semaphore_ref(sem_t *semaphore);
/* For entries of the held stack. */
struct dlw_lock_ref dlw_lock_ref_of(const struct dlw_held_lock *held);
struct dlw_lock_ref dlw_lock_ref_at(uintptr_t address, unsigned kind);

static inline uint64_t dlw_semaphore_mark(sem_t *semaphore)
{
    return dlw_marks_are_on
               ? atomic_load_explicit(dlw_semaphore_id(semaphore), memory_order_relaxed)
               : DLW_MARK_SIGNAL;
}

/* No lock: another thread posts it, or its sem_init was not seen. */
static inline bool dlw_mark_is_signal(uint64_t mark, uintptr_t address)
{
    return mark == DLW_MARK_SIGNAL || (!dlw_mark_is_created(mark) && !dlw_mark_is_pool(mark) &&
                                       !dlw_lock_mark_is_good(mark, address));
}

/* No unit is free, and it is no signal: its holders are who keeps its waiters. `seen` may be a copy
 * of what lies at `address`. */
bool dlw_semaphore_is_taken(const sem_t *seen, uintptr_t address);

#endif
