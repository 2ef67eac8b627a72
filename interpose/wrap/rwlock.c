/* pthread_rwlock_*. The mark's words lie apart in a rwlock; readers share them, so they are only
 * stored whole. */
#include "interpose/base/proc.h"
#include "interpose/base/real.h"
#include "interpose/base/state.h"
#include "interpose/locks/ref.h"
#include "interpose/order/acquire.h"
#include "interpose/steer/pause.h"
#include "interpose/steer/role.h"
#include "interpose/watch/misuse.h"
#include "interpose/watch/wait.h"

#include <errno.h>

/* Returns 0. */
static DLW_HOT int taken(struct dlw_thread *self, pthread_rwlock_t *rwlock, unsigned mode,
                         unsigned flags, const struct dlw_frame *from)
{
    bool marked = dlw_rwlock_has_mark(rwlock);
    uint64_t id = marked ? atomic_load_explicit(dlw_rwlock_id(rwlock), memory_order_relaxed)
                         : dlw_lock_tenant((uintptr_t)rwlock, DLW_LOCK_RWLOCK);

    return dlw_acquire(self, rwlock, id, marked ? dlw_rwlock_chain(rwlock) : NULL,
                       DLW_TRAITS(DLW_LOCK_RWLOCK, mode, flags, 1), from);
}

static DLW_COLD void taken_cold(struct dlw_thread *self, pthread_rwlock_t *rwlock, unsigned mode,
                                unsigned flags, const struct dlw_frame *from)
{
    taken(self, rwlock, mode, flags, from);
}

struct request {
    uint8_t mode;
    clockid_t clock;
    const struct timespec *limit; /* NULL: none */
    bool has_clock;
};

static int real_lock(pthread_rwlock_t *rwlock, const struct request *r)
{
    bool shared = r->mode == DLW_SHARED;

    if (!r->limit)
        return shared ? real.pthread_rwlock_rdlock(rwlock) : real.pthread_rwlock_wrlock(rwlock);
    if (r->has_clock)
        return shared ? real.pthread_rwlock_clockrdlock(rwlock, r->clock, r->limit)
                      : real.pthread_rwlock_clockwrlock(rwlock, r->clock, r->limit);
    return shared ? real.pthread_rwlock_timedrdlock(rwlock, r->limit)
                  : real.pthread_rwlock_timedwrlock(rwlock, r->limit);
}

/* glibc answers EDEADLK itself to the writer that asks again. */
static bool is_writer(struct dlw_thread *self, const pthread_rwlock_t *rwlock)
{
    return dlw_rwlock_writer(rwlock) == atomic_load_explicit(&self->tid, memory_order_relaxed);
}

static DLW_COLD int lock_slow(struct dlw_thread *self, pthread_rwlock_t *rwlock,
                              const struct request *request, const struct dlw_frame *from)
{
    struct dlw_call call = dlw_call_of(from);
    struct dlw_lock_ref ref = dlw_rwlock_ref(rwlock);
    bool waits = !is_writer(self, rwlock);

    if (waits) {
        struct dlw_wait_for wait = {.on = (uintptr_t)rwlock,
                                    .kind = DLW_WAIT_LOCK,
                                    .lock_kind = DLW_LOCK_RWLOCK,
                                    .mode = request->mode,
                                    .timed = request->limit != NULL,
                                    .orders = &ref,
                                    .call = call};
        dlw_wait_begin(self, &wait);
        dlw_pause_closes(self);
    }
    int result = real_lock(rwlock, request);
    if (waits)
        dlw_wait_end(self);
    if (result == 0)
        taken_cold(self, rwlock, request->mode, request->limit ? DLW_HELD_TIMED : 0, from);
    else
        self->calls++;
    return result;
}

/*
 * Where the lock is free a try answers as the real call does, also with EAGAIN when there are too
 * many readers.
 */
static const struct request read_request = {.mode = DLW_SHARED};
static const struct request write_request = {.mode = DLW_EXCLUSIVE};

static DLW_HOT int try_lock(pthread_rwlock_t *rwlock, uint8_t mode)
{
    return mode == DLW_SHARED ? real.pthread_rwlock_tryrdlock(rwlock)
                              : real.pthread_rwlock_trywrlock(rwlock);
}

/* A thread's first call, or one that passes. */
static DLW_NOINLINE int lock_any(pthread_rwlock_t *rwlock, const struct request *request,
                                 const struct dlw_frame *from)
{
    struct dlw_thread *self = dlw_thread_self();

    if (dlw_thread_passes(self))
        return real_lock(rwlock, request);
    dlw_role_asks(self, rwlock, DLW_LOCK_RWLOCK, request->mode, dlw_call_of(from));
    if (try_lock(rwlock, request->mode) != 0)
        return lock_slow(self, rwlock, request, from);
    return taken(self, rwlock, request->mode, 0, from);
}

/* Inlined: the frame is the wrapper's. */
static DLW_HOT int lock(pthread_rwlock_t *rwlock, uint8_t mode)
{
    struct dlw_thread *self = dlw_self;
    const struct request *request = mode == DLW_SHARED ? &read_request : &write_request;

    if (!dlw_thread_is_watched(self))
        return dlw_in_frame(lock_any(rwlock, request, DLW_FRAME_HERE()));
    if (__builtin_expect(try_lock(rwlock, mode) != 0, 0))
        return dlw_in_frame(lock_slow(self, rwlock, request, DLW_FRAME_HERE()));
    return taken(self, rwlock, mode, 0, NULL);
}

DLW_EXPORT int pthread_rwlock_rdlock(pthread_rwlock_t *rwlock)
{
    return lock(rwlock, DLW_SHARED);
}

DLW_EXPORT int pthread_rwlock_wrlock(pthread_rwlock_t *rwlock)
{
    return lock(rwlock, DLW_EXCLUSIVE);
}

static int timed(pthread_rwlock_t *rwlock, const struct request *request,
                 const struct dlw_frame *from)
{
    struct dlw_thread *self = dlw_thread_self();

    if (dlw_thread_passes(self))
        return real_lock(rwlock, request);
    return dlw_in_frame(lock_slow(self, rwlock, request, from));
}

DLW_EXPORT int pthread_rwlock_timedrdlock(pthread_rwlock_t *rwlock, const struct timespec *limit)
{
    struct request request = {.mode = DLW_SHARED, .limit = limit};

    return dlw_in_frame(timed(rwlock, &request, DLW_FRAME_HERE()));
}

DLW_EXPORT int pthread_rwlock_timedwrlock(pthread_rwlock_t *rwlock, const struct timespec *limit)
{
    struct request request = {.mode = DLW_EXCLUSIVE, .limit = limit};

    return dlw_in_frame(timed(rwlock, &request, DLW_FRAME_HERE()));
}

DLW_EXPORT int pthread_rwlock_clockrdlock(pthread_rwlock_t *rwlock, clockid_t clock,
                                          const struct timespec *limit)
{
    struct request request = {
        .mode = DLW_SHARED, .limit = limit, .clock = clock, .has_clock = true};

    return dlw_in_frame(timed(rwlock, &request, DLW_FRAME_HERE()));
}

DLW_EXPORT int pthread_rwlock_clockwrlock(pthread_rwlock_t *rwlock, clockid_t clock,
                                          const struct timespec *limit)
{
    struct request request = {
        .mode = DLW_EXCLUSIVE, .limit = limit, .clock = clock, .has_clock = true};

    return dlw_in_frame(timed(rwlock, &request, DLW_FRAME_HERE()));
}

static DLW_HOT int trylock(pthread_rwlock_t *rwlock, uint8_t mode)
{
    struct dlw_thread *self = dlw_thread_self();
    bool passes = dlw_thread_passes(self);
    int result = try_lock(rwlock, mode);

    if (passes)
        return result;
    if (result == 0)
        return taken(self, rwlock, mode, DLW_HELD_TRY, NULL);
    self->calls++;
    return result;
}

DLW_EXPORT int pthread_rwlock_tryrdlock(pthread_rwlock_t *rwlock)
{
    return trylock(rwlock, DLW_SHARED);
}

DLW_EXPORT int pthread_rwlock_trywrlock(pthread_rwlock_t *rwlock)
{
    return trylock(rwlock, DLW_EXCLUSIVE);
}

static DLW_COLD int unlock_unheld(struct dlw_thread *self, pthread_rwlock_t *rwlock,
                                  struct dlw_call call)
{
    struct dlw_lock_ref ref = dlw_rwlock_ref(rwlock);
    struct dlw_accusation accusation;

    self->calls++;
    dlw_misuse_unlock_before(self, &ref, &call, &accusation);
    int result = real.pthread_rwlock_unlock(rwlock);
    dlw_misuse_unlock_after(self, &accusation, result);
    return result;
}

static DLW_NOINLINE int unlock_any(pthread_rwlock_t *rwlock, const struct dlw_frame *from)
{
    struct dlw_thread *self = dlw_thread_self();

    if (dlw_thread_passes(self)) {
        dlw_passed_release(self, rwlock);
        return real.pthread_rwlock_unlock(rwlock);
    }
    int index = dlw_held_find(self, rwlock);
    if (index < 0)
        return unlock_unheld(self, rwlock, dlw_call_of(from));
    dlw_held_let_go(self, (uint32_t)index, dlw_call_of(from));
    int result = real.pthread_rwlock_unlock(rwlock);
    dlw_role_left(self);
    return result;
}

/* glibc's unlock of a rwlock can't fail, so the entry need not be put back. */
DLW_EXPORT int pthread_rwlock_unlock(pthread_rwlock_t *rwlock)
{
    struct dlw_thread *self = dlw_self;

    if (!dlw_thread_is_watched(self) || !dlw_held_drop_last(self, rwlock, DLW_CALL_HERE().sp))
        return dlw_in_frame(unlock_any(rwlock, DLW_FRAME_HERE()));
    return real.pthread_rwlock_unlock(rwlock);
}

static int init(pthread_rwlock_t *rwlock, const pthread_rwlockattr_t *attributes,
                struct dlw_call call)
{
    struct dlw_thread *self = dlw_thread_self();
    struct dlw_accusation accusation = {0};

    if (dlw_thread_passes(self))
        return real.pthread_rwlock_init(rwlock, attributes);
    self->calls++;
    if (dlw_wait_may_be_for(rwlock))
        dlw_misuse_init_before(self, (uintptr_t)rwlock, DLW_LOCK_RWLOCK, sizeof(*rwlock), &call,
                               &accusation);
    int result = real.pthread_rwlock_init(rwlock, attributes);
    dlw_misuse_init_after(self, &accusation, result);
    if (result != 0)
        return result;
    struct dlw_lock_ref ref = dlw_rwlock_ref(rwlock);
    dlw_lock_enter_rebirth(self, &ref);
    dlw_held_forget(self, rwlock);
    dlw_lock_reborn(&ref, call.pc);
    dlw_guard_leave(self);
    return result;
}

DLW_EXPORT int pthread_rwlock_init(pthread_rwlock_t *rwlock, const pthread_rwlockattr_t *attributes)
{
    return init(rwlock, attributes, DLW_CALL_HERE());
}

static int destroy(pthread_rwlock_t *rwlock, struct dlw_call call)
{
    struct dlw_thread *self = dlw_thread_self();
    struct dlw_accusation accusation;

    if (dlw_thread_passes(self) || dlw_proc_lacks(rwlock, sizeof(*rwlock)))
        return real.pthread_rwlock_destroy(rwlock);
    self->calls++;
    struct dlw_lock_ref ref = dlw_rwlock_ref(rwlock);
    bool locked = dlw_rwlock_writer(rwlock) != 0 || dlw_rwlock_readers(rwlock) != 0;
    dlw_misuse_destroy_before(self, &ref, locked, &call, &accusation);
    int result = real.pthread_rwlock_destroy(rwlock);
    dlw_misuse_destroy_after(self, &ref, &accusation, result);
    return result;
}

DLW_EXPORT int pthread_rwlock_destroy(pthread_rwlock_t *rwlock)
{
    return destroy(rwlock, DLW_CALL_HERE());
}
