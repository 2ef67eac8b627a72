#include "interpose/locks/ref.h"

struct dlw_lock_ref dlw_mutex_ref(pthread_mutex_t *mutex)
{
    static const uint8_t types[] = {0, DLW_ATTR_RECURSIVE, DLW_ATTR_ERRORCHECK, DLW_ATTR_ADAPTIVE};
    unsigned kind = dlw_mutex_kind(mutex);
    unsigned attributes = types[kind & DLW_KIND_TYPE];
    struct dlw_mark *mark = dlw_mutex_has_mark(mutex) ? dlw_mutex_mark(mutex) : NULL;

    if (kind & DLW_KIND_ROBUST)
        attributes |= DLW_ATTR_ROBUST;
    if (kind & DLW_KIND_INHERIT)
        attributes |= DLW_ATTR_INHERIT;
    if (kind & DLW_KIND_SHARED)
        attributes |= DLW_ATTR_SHARED;
    return (struct dlw_lock_ref){.address = (uintptr_t)mutex,
                                 .id = mark ? &mark->id : NULL,
                                 .chain = mark ? &mark->chain : NULL,
                                 .kind = DLW_LOCK_MUTEX,
                                 .attributes = (uint8_t)attributes};
}

struct dlw_lock_ref dlw_rwlock_ref(pthread_rwlock_t *rwlock)
{
    bool marked = dlw_rwlock_has_mark(rwlock);
    unsigned attributes = dlw_rwlock_prefers_writers(rwlock) ? DLW_ATTR_PREFER_WRITER : 0;

    if (dlw_rwlock_is_shared(rwlock))
        attributes |= DLW_ATTR_SHARED;
    return (struct dlw_lock_ref){.address = (uintptr_t)rwlock,
                                 .id = marked ? dlw_rwlock_id(rwlock) : NULL,
                                 .chain = marked ? dlw_rwlock_chain(rwlock) : NULL,
                                 .kind = DLW_LOCK_RWLOCK,
                                 .attributes = (uint8_t)attributes};
}

struct dlw_lock_ref dlw_semaphore_ref(sem_t *semaphore)
{
    return (struct dlw_lock_ref){.address = (uintptr_t)semaphore,
                                 .id = dlw_semaphore_id(semaphore),
                                 .chain = dlw_semaphore_chain(semaphore),
                                 .kind = DLW_LOCK_SEMAPHORE};
}

bool dlw_semaphore_is_taken(const sem_t *seen, uintptr_t address)
{
    return !dlw_mark_is_signal(dlw_semaphore_mark((sem_t *)seen), address) &&
           dlw_semaphore_value(seen) == 0;
}

struct dlw_lock_ref dlw_lock_ref_at(uintptr_t address, unsigned kind)
{
    if (kind == DLW_LOCK_MUTEX)
        return dlw_mutex_ref((pthread_mutex_t *)address); /* NOLINT(performance-no-int-to-ptr) */
    if (kind == DLW_LOCK_RWLOCK)
        return dlw_rwlock_ref((pthread_rwlock_t *)address); /* NOLINT */
    if (kind == DLW_LOCK_SEMAPHORE)
        return dlw_semaphore_ref((sem_t *)address); /* NOLINT */
    return (struct dlw_lock_ref){.address = address, .kind = (uint8_t)kind};
}

struct dlw_lock_ref dlw_lock_ref_of(const struct dlw_held_lock *held)
{
    return dlw_lock_ref_at(atomic_load_explicit(&held->lock, memory_order_relaxed), held->kind);
}
