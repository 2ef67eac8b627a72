/*
 * pthread_spin_*. A spin lock is one word without an owner: it is known by address, and who holds
 * it stands on the held stacks only. It has an init call, which is a new life.
 */
#include "interpose/base/proc.h"
#include "interpose/base/real.h"
#include "interpose/order/acquire.h"
#include "interpose/steer/pause.h"
#include "interpose/steer/role.h"
#include "interpose/watch/misuse.h"
#include "interpose/watch/wait.h"

static struct dlw_lock_ref ref_of(pthread_spinlock_t *lock)
{
    return (struct dlw_lock_ref){.address = (uintptr_t)lock, .kind = DLW_LOCK_SPIN};
}

static void taken(struct dlw_thread *self, pthread_spinlock_t *lock, unsigned flags,
                  const struct dlw_frame *from)
{
    dlw_acquire_slow(self, (void *)lock, dlw_lock_tenant((uintptr_t)lock, DLW_LOCK_SPIN), NULL,
                     DLW_TRAITS(DLW_LOCK_SPIN, DLW_EXCLUSIVE, flags, 1), from);
}

static DLW_COLD void lock_busy(struct dlw_thread *self, pthread_spinlock_t *lock,
                               struct dlw_call call)
{
    struct dlw_lock_ref ref = ref_of(lock);
    struct dlw_wait_for wait = {.on = (uintptr_t)lock,
                                .kind = DLW_WAIT_SPIN,
                                .lock_kind = DLW_LOCK_SPIN,
                                .mode = DLW_EXCLUSIVE,
                                .orders = &ref,
                                .call = call};

    dlw_wait_begin(self, &wait);
    dlw_pause_closes(self);
    real.pthread_spin_lock(lock);
    dlw_wait_end(self);
}

DLW_EXPORT int pthread_spin_lock(pthread_spinlock_t *lock)
{
    struct dlw_thread *self = dlw_thread_self();

    if (dlw_thread_passes(self))
        return real.pthread_spin_lock(lock);
    dlw_role_asks(self, (const void *)lock, DLW_LOCK_SPIN, DLW_EXCLUSIVE, DLW_CALL_HERE());
    if (real.pthread_spin_trylock(lock) != 0)
        lock_busy(self, lock, DLW_CALL_HERE());
    taken(self, lock, 0, DLW_FRAME_HERE());
    return 0;
}

DLW_EXPORT int pthread_spin_trylock(pthread_spinlock_t *lock)
{
    struct dlw_thread *self = dlw_thread_self();
    int result = real.pthread_spin_trylock(lock);

    if (dlw_thread_passes(self))
        return result;
    if (result == 0)
        taken(self, lock, DLW_HELD_TRY, DLW_FRAME_HERE());
    else
        self->calls++;
    return result;
}

/* The lock is not on the thread's held stack. The call can't refuse: whoever held the lock holds it
 * no longer. */
static DLW_COLD int unlock_unheld(struct dlw_thread *self, pthread_spinlock_t *lock,
                                  struct dlw_call call)
{
    struct dlw_lock_ref ref = ref_of(lock);
    struct dlw_accusation accusation;

    self->calls++;
    dlw_misuse_unlock_before(self, &ref, &call, &accusation);
    if (accusation.is_made)
        dlw_misuse_handed_over(self, &accusation);
    return real.pthread_spin_unlock(lock);
}

DLW_EXPORT int pthread_spin_unlock(pthread_spinlock_t *lock)
{
    struct dlw_thread *self = dlw_thread_self();

    if (dlw_thread_passes(self)) {
        dlw_passed_release(self, (void *)lock);
        return real.pthread_spin_unlock(lock);
    }
    int index = dlw_held_find(self, (void *)lock);
    if (index < 0)
        return unlock_unheld(self, lock, DLW_CALL_HERE());
    dlw_held_let_go(self, (uint32_t)index, DLW_CALL_HERE());
    int result = real.pthread_spin_unlock(lock);
    dlw_role_left(self);
    return result;
}

static void reborn(struct dlw_thread *self, pthread_spinlock_t *lock, uintptr_t created)
{
    struct dlw_lock_ref ref = ref_of(lock);

    if (dlw_thread_passes(self))
        return;
    self->calls++;
    dlw_guard_enter(self);
    dlw_lock_reborn(&ref, created);
    dlw_guard_leave(self);
}

DLW_EXPORT int pthread_spin_init(pthread_spinlock_t *lock, int shared)
{
    struct dlw_call call = DLW_CALL_HERE();
    struct dlw_thread *self = dlw_thread_self();
    int result = real.pthread_spin_init(lock, shared);

    reborn(self, lock, call.pc);
    return result;
}

DLW_EXPORT int pthread_spin_destroy(pthread_spinlock_t *lock)
{
    struct dlw_call call = DLW_CALL_HERE();
    struct dlw_thread *self = dlw_thread_self();
    struct dlw_lock_ref ref = ref_of(lock);
    struct dlw_accusation accusation;

    if (dlw_thread_passes(self) || dlw_proc_lacks(lock, sizeof(*lock)))
        return real.pthread_spin_destroy(lock);
    self->calls++;
    dlw_misuse_destroy_before(self, &ref, dlw_spin_is_locked(lock), &call, &accusation);
    int result = real.pthread_spin_destroy(lock);
    dlw_misuse_destroy_after(self, &ref, &accusation, result);
    return result;
}
