/*
 * C11 locks. glibc's mtx_t is a pthread_mutex_t and its functions call the
 * internal ones past the PLT, so the names are wrapped; results are translated as nptl/thrd_priv.h
 * does.
 */
#include "interpose/base/real.h"
#include "interpose/locks/ref.h"
#include "interpose/order/validate.h"
#include "interpose/watch/misuse.h"
#include "interpose/wrap/mutex.h"

#include <errno.h>
#include <threads.h>

static pthread_mutex_t *as_mutex(mtx_t *mutex)
{
    return (pthread_mutex_t *)mutex;
}

static int as_c11(int error)
{
    switch (error) {
    case 0:
        return thrd_success;
    case EBUSY:
        return thrd_busy;
    case ENOMEM:
        return thrd_nomem;
    case ETIMEDOUT:
        return thrd_timedout;
    default:
        return thrd_error;
    }
}

DLW_EXPORT int mtx_init(mtx_t *mutex, int type)
{
    struct dlw_thread *self = dlw_thread_self();
    int result = real.mtx_init(mutex, type);
    struct dlw_call call = DLW_CALL_HERE();

    if (dlw_thread_passes(self) || result != thrd_success)
        return result;
    self->calls++;
    struct dlw_lock_ref ref = dlw_mutex_ref(as_mutex(mutex));
    dlw_lock_enter_rebirth(self, &ref);
    dlw_held_forget(self, mutex);
    dlw_lock_reborn(&ref, call.pc);
    dlw_guard_leave(self);
    return result;
}

DLW_EXPORT void mtx_destroy(mtx_t *mutex)
{
    struct dlw_thread *self = dlw_thread_self();
    struct dlw_call call = DLW_CALL_HERE();
    struct dlw_accusation accusation;

    if (dlw_thread_passes(self)) {
        real.mtx_destroy(mutex);
        return;
    }
    self->calls++;
    struct dlw_lock_ref ref = dlw_mutex_ref(as_mutex(mutex));
    dlw_misuse_destroy_before(self, &ref, dlw_mutex_word(as_mutex(mutex)) != 0, &call, &accusation);
    real.mtx_destroy(mutex);
    dlw_misuse_destroy_after(self, &ref, &accusation, 0);
}

DLW_EXPORT int mtx_lock(mtx_t *mutex)
{
    return as_c11(dlw_mutex_lock(as_mutex(mutex), DLW_FRAME_HERE()));
}

DLW_EXPORT int mtx_trylock(mtx_t *mutex)
{
    return as_c11(dlw_mutex_trylock(as_mutex(mutex), DLW_FRAME_HERE()));
}

DLW_EXPORT int mtx_timedlock(mtx_t *restrict mutex, const struct timespec *restrict limit)
{
    return as_c11(dlw_mutex_timedlock(as_mutex(mutex), limit, DLW_FRAME_HERE()));
}

DLW_EXPORT int mtx_unlock(mtx_t *mutex)
{
    return as_c11(dlw_mutex_unlock(as_mutex(mutex), DLW_FRAME_HERE()));
}
