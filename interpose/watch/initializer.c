#include "interpose/watch/initializer.h"

#include "interpose/order/acquire.h"
#include "interpose/watch/wait.h"

void dlw_initializer_enter(struct dlw_thread *self, void *object, unsigned kind,
                           struct dlw_call call)
{
    uint32_t guard = dlw_thread_guard(self);

    if (guard & ~(uint32_t)DLW_GUARD_WAITING)
        return;
    /* this thread had waited for another's run, which failed; now it runs the code itself */
    dlw_wait_end(self);
    struct dlw_held_lock *held =
        dlw_held_push(self, object, dlw_lock_tenant((uintptr_t)object, kind),
                      DLW_TRAITS(kind, DLW_EXCLUSIVE, 0, 1), call);
    if (!held)
        return;
    self->calls -= DLW_TRAIL_CALLS; /* the call that runs it counts itself */
    dlw_acquire_more(self, held, NULL);
    /* So that it can be told whether the call has been left by an exception. */
    held->levels = 1;
    held->sp = call.sp;
    held->fp = call.fp;
}

void dlw_initializer_leave(struct dlw_thread *self, const void *object)
{
    int index = dlw_thread_passes(self) ? -1 : dlw_held_find(self, object);

    if (index >= 0)
        dlw_held_pop(self, (uint32_t)index);
}

void dlw_initializer_wait(struct dlw_thread *self, void *object, unsigned kind, unsigned wait_kind,
                          struct dlw_call call)
{
    struct dlw_lock_ref ref = {.address = (uintptr_t)object, .kind = (uint8_t)kind};
    struct dlw_wait_for wait = {.on = (uintptr_t)object,
                                .kind = (uint8_t)wait_kind,
                                .lock_kind = (uint8_t)kind,
                                .mode = DLW_EXCLUSIVE,
                                .orders = dlw_held_find(self, object) < 0 ? &ref : NULL,
                                .call = call};

    dlw_wait_begin(self, &wait);
}
