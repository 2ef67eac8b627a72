/*
 * pthread_once, call_once: a lock held by the thread that runs the routine. A routine that is done
 * costs one load.
 *
 * When a C++ exception, a cancellation or pthread_exit leaves the routine, no code of ours runs:
 * the entry says at which stack depth the routine was started, and whoever looks at it from further
 * out drops it (dlw_held_is_owned). A cleanup handler would be wrong here: in C it is a jump buffer
 * that an exception leaves registered, and the thread's end would jump into a frame that is gone.
 */
#include "interpose/base/real.h"
#include "interpose/order/validate.h"
#include "interpose/steer/role.h"
#include "interpose/watch/initializer.h"
#include "interpose/watch/wait.h"

/* Called by libc in place of the program's routine: the calling thread is the one that runs it. */
static void run_routine(void)
{
    struct dlw_thread *self = dlw_thread_self();
    void (*routine)(void) = self->once_routine;
    void *once = self->once_control;

    dlw_initializer_enter(self, once, DLW_LOCK_ONCE, self->once_call);
    routine();
    dlw_initializer_leave(self, once);
}

struct call {
    struct dlw_thread *self;
    pthread_once_t *once;
    void (*routine)(void), (*outer_routine)(void);
    void *outer_control;
};

static void prepare(struct call *call, struct dlw_call place)
{
    struct dlw_thread *self = call->self;

    dlw_role_asks(self, call->once, DLW_LOCK_ONCE, DLW_EXCLUSIVE, place);
    call->outer_routine = self->once_routine;
    call->outer_control = self->once_control;
    if (dlw_once_is_running(call->once))
        dlw_initializer_wait(self, call->once, DLW_LOCK_ONCE, DLW_WAIT_ONCE, place);
    self->once_routine = call->routine;
    self->once_control = call->once;
    self->once_call = place;
}

/* A signal handler may call pthread_once between the preparation of this call and its routine: puts
 * this call's values back. */
static void restore(const struct call *call)
{
    dlw_wait_end(call->self);
    call->self->once_routine = call->outer_routine;
    call->self->once_control = call->outer_control;
}

/* The routine is done, but this caller could have come while it ran and waited, holding its locks:
 * the order is learned. */
static void asked(struct dlw_thread *self, pthread_once_t *once, struct dlw_call call)
{
    struct dlw_lock_ref ref = {.address = (uintptr_t)once, .kind = DLW_LOCK_ONCE};

    self->calls++;
    if (dlw_held_find(self, once) < 0)
        dlw_validate_wanted(self, &ref, DLW_EXCLUSIVE, false, &call, false);
}

DLW_EXPORT int pthread_once(pthread_once_t *once, void (*routine)(void))
{
    struct call call = {dlw_thread_self(), once, routine, NULL, NULL};
    int result;

    if (dlw_once_is_done(once) || dlw_thread_passes(call.self)) {
        if (!dlw_thread_passes(call.self) && dlw_held_depth(call.self))
            asked(call.self, once, DLW_CALL_HERE());
        return real.pthread_once(once, routine);
    }
    call.self->calls++;
    prepare(&call, DLW_CALL_HERE());
    result = real.pthread_once(once, run_routine);
    restore(&call);
    return result;
}

DLW_EXPORT void call_once(once_flag *once, void (*routine)(void))
{
    struct call call = {dlw_thread_self(), (pthread_once_t *)once, routine, NULL, NULL};

    if (dlw_once_is_done(call.once) || dlw_thread_passes(call.self)) {
        if (!dlw_thread_passes(call.self) && dlw_held_depth(call.self))
            asked(call.self, call.once, DLW_CALL_HERE());
        real.call_once(once, routine);
        return;
    }
    call.self->calls++;
    prepare(&call, DLW_CALL_HERE());
    real.call_once(once, run_routine);
    restore(&call);
}
