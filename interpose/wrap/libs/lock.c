#include "interpose/wrap/libs/lock.h"

#include "interpose/base/real.h"
#include "interpose/watch/misuse.h"

#include <errno.h>

void dlw_lib_lock_wait(struct dlw_thread *self, const void *lock, struct dlw_call call)
{
    struct dlw_lock_ref ref = dlw_lib_lock_ref(lock);
    struct dlw_wait_for wait = {.on = (uintptr_t)lock,
                                .kind = DLW_WAIT_LOCK,
                                .lock_kind = DLW_LOCK_CUSTOM,
                                .mode = DLW_EXCLUSIVE,
                                .orders = dlw_held_find(self, lock) < 0 ? &ref : NULL,
                                .call = call};
    int kept = errno;

    dlw_wait_begin(self, &wait);
    errno = kept;
}

/* The record doesn't say that the thread holds it. */
static DLW_COLD void released_unheld(struct dlw_thread *self, const void *lock,
                                     enum dlw_lib_lock_word word, struct dlw_call call)
{
    struct dlw_lock_ref ref = dlw_lib_lock_ref(lock);
    struct dlw_accusation accusation;

    dlw_misuse_unlock_custom_before(self, &ref, word == DLW_LIB_LOCK_TAKEN, &call, &accusation);
    if (accusation.is_made)
        dlw_misuse_handed_over(self, &accusation);
}

void dlw_lib_lock_released(struct dlw_thread *self, const void *lock, enum dlw_lib_lock_word word,
                           struct dlw_call call)
{
    if (dlw_thread_passes(self)) {
        dlw_passed_release(self, lock);
        return;
    }
    int index = dlw_held_depth(self) ? dlw_held_find(self, lock) : -1;
    if (index >= 0) {
        dlw_held_let_go(self, (uint32_t)index, call);
        return;
    }
    self->calls++;
    if (word != DLW_LIB_LOCK_UNKNOWN)
        released_unheld(self, lock, word, call);
}

void dlw_lib_lock_created(struct dlw_thread *self, const void *lock, struct dlw_call call)
{
    struct dlw_lock_ref ref = dlw_lib_lock_ref(lock);
    int kept = errno;

    if (dlw_thread_passes(self))
        return;
    self->calls++;
    dlw_held_forget(self, lock);
    dlw_guard_enter(self);
    dlw_lock_reborn(&ref, call.pc);
    dlw_guard_leave(self);
    errno = kept;
}

void dlw_lib_lock_ends(struct dlw_thread *self, const void *lock, enum dlw_lib_lock_word word,
                       struct dlw_call call)
{
    struct dlw_lock_ref ref = dlw_lib_lock_ref(lock);
    struct dlw_accusation accusation;
    int kept = errno;

    if (dlw_thread_passes(self))
        return;
    self->calls++;
    dlw_misuse_destroy_before(self, &ref, word == DLW_LIB_LOCK_TAKEN, &call, &accusation);
    dlw_misuse_destroy_after(self, &ref, &accusation, 0);
    errno = kept;
}
