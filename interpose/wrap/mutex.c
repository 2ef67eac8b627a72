/*
 * pthread_mutex_*. The uncontended path: real trylock, push, one compare. Everything else is
 * out of line.
 *
 * Trylock first is right for the normal, recursive and adaptive kinds only. An errorcheck mutex
 * must answer EDEADLK, a robust one EOWNERDEAD, and for priority inheritance it would double the
 * system calls: those go to the real call, and publish their wait when the lock is not free.
 */
#include "interpose/wrap/mutex.h"
#include "interpose/locks/ref.h"

#include "interpose/base/direct.h"
#include "interpose/base/real.h"
#include "interpose/base/state.h"
#include "interpose/locks/annotation.h"
#include "interpose/locks/orphans.h"
#include "interpose/order/acquire.h"
#include "interpose/steer/pause.h"
#include "interpose/steer/role.h"
#include "interpose/threads/profile.h"
#include "interpose/watch/gil.h"
#include "interpose/watch/misuse.h"
#include "interpose/watch/wait.h"

#include <errno.h>

/* Kinds where a try that fails may be followed by the real call, and a mark may stand in the lock.
 */
static inline bool is_plain(unsigned kind)
{
    return kind <= 3 && kind != PTHREAD_MUTEX_ERRORCHECK;
}

static inline bool is_recursive(unsigned kind)
{
    return (kind & DLW_KIND_TYPE) == PTHREAD_MUTEX_RECURSIVE;
}

/* The id word where the mutex may bear a mark, else the tenancy of its address. The hot path reads
 * the word of every plain kind: where no mark can stand it is 0. */
static inline uint64_t id_of(pthread_mutex_t *mutex, bool marked)
{
    return marked ? atomic_load_explicit(&dlw_mutex_mark(mutex)->id, memory_order_relaxed)
                  : dlw_lock_tenant((uintptr_t)mutex, DLW_LOCK_MUTEX);
}

/* A taking counts as two calls, by the trail (trail.h): whoever takes or gives back counts itself
 * only where nothing is noted. */

/* The mutex is held now. Nothing is touched that other threads write. Returns 0. */
static DLW_HOT int taken(struct dlw_thread *self, pthread_mutex_t *mutex, bool marked,
                         unsigned flags, const struct dlw_frame *from)
{
    uint64_t id = id_of(mutex, marked);

    /* SIGNAL: other threads unlock it, so it is no lock */
    if (__builtin_expect(id == DLW_MARK_SIGNAL, 0))
        return 0;
    return dlw_acquire(self, mutex, id, marked ? &dlw_mutex_mark(mutex)->chain : NULL,
                       DLW_TRAITS(DLW_LOCK_MUTEX, DLW_EXCLUSIVE, flags, 1), from);
}

/* The same for calls that don't take the fast path. */
static DLW_COLD void taken_cold(struct dlw_thread *self, pthread_mutex_t *mutex, unsigned flags,
                                struct dlw_call call)
{
    bool marked = is_plain(dlw_mutex_kind(mutex)) || dlw_mutex_has_mark(mutex);
    uint64_t id = id_of(mutex, marked);

    if (id != DLW_MARK_SIGNAL)
        dlw_acquire_at(self, mutex, id, marked ? &dlw_mutex_mark(mutex)->chain : NULL,
                       DLW_TRAITS(DLW_LOCK_MUTEX, DLW_EXCLUSIVE, flags, 1), call);
}

/* A recursive mutex that this thread holds already: there is nothing to record. */
static inline bool is_again(const pthread_mutex_t *mutex, unsigned kind)
{
    return __builtin_expect(is_recursive(kind), 0) && dlw_mutex_count(mutex) > 1;
}

struct request {
    clockid_t clock;
    const struct timespec *limit; /* NULL: none */
    bool has_clock;
};

static int real_lock(pthread_mutex_t *mutex, const struct request *request)
{
    if (!request->limit)
        return real.pthread_mutex_lock(mutex);
    if (request->has_clock)
        return real.pthread_mutex_clocklock(mutex, request->clock, request->limit);
    return real.pthread_mutex_timedlock(mutex, request->limit);
}

static bool owns(struct dlw_thread *self, pthread_mutex_t *mutex)
{
    return dlw_mutex_holder(mutex) == atomic_load_explicit(&self->tid, memory_order_relaxed);
}

/* A call that the kind answers itself when the caller owns the mutex: no wait. */
static bool never_waits_for_self(unsigned kind)
{
    unsigned type = kind & DLW_KIND_TYPE;

    return type == PTHREAD_MUTEX_RECURSIVE || type == PTHREAD_MUTEX_ERRORCHECK;
}

/*
 * To publish a wait costs about as much as most locks are held: a few looks first. Between them the
 * lock's line is left to its holder for as long as a system call would, which then gets several
 * takings done; one that is looked at all the time makes each of them wait for the line.
 */
static bool comes_free(pthread_mutex_t *mutex)
{
    enum { LOOKS = 3, PAUSES = 16 };

    for (int i = 0; i < LOOKS; i++) {
        for (int k = 0; k < PAUSES; k++)
            dlw_cpu_relax();
        if (dlw_mutex_word(mutex) == 0 && real.pthread_mutex_trylock(mutex) == 0)
            return true;
    }
    return false;
}

/* The mutex is not free, or its kind must not be tried. */
static DLW_COLD int lock_slow(struct dlw_thread *self, pthread_mutex_t *mutex,
                              const struct request *request, const struct dlw_frame *from)
{
    struct dlw_call call = dlw_call_of(from);
    unsigned kind = dlw_mutex_kind(mutex);
    bool mine = owns(self, mutex) && dlw_held_find(self, mutex) >= 0;
    bool waits = dlw_mutex_keeps_waiting(mutex) && !(mine && never_waits_for_self(kind));
    struct dlw_lock_ref ref = dlw_mutex_ref(mutex);

    struct dlw_profile_holder holder = {0};
    if (dlw_options.profile && waits)
        holder = dlw_profile_holder_of(dlw_mutex_holder(mutex), (uintptr_t)mutex);
    if (waits && !request->limit && is_plain(kind) && comes_free(mutex)) {
        if (dlw_options.profile)
            dlw_profile_waited(self, (uintptr_t)mutex, DLW_LOCK_MUTEX, call.pc, 0, holder);
        taken_cold(self, mutex, 0, call);
        return 0;
    }
    if (waits) {
        struct dlw_wait_for wait = {.on = (uintptr_t)mutex,
                                    .kind = DLW_WAIT_LOCK,
                                    .lock_kind = DLW_LOCK_MUTEX,
                                    .mode = DLW_EXCLUSIVE,
                                    .timed = request->limit != NULL,
                                    .orders = mine || dlw_gil_is_mutex(mutex) ? NULL : &ref,
                                    .call = call};
        dlw_wait_begin(self, &wait);
        dlw_pause_closes(self);
    }
    int result = real_lock(mutex, request);
    if (waits)
        dlw_wait_end(self);
    if ((result == 0 || result == EOWNERDEAD) && !is_again(mutex, kind))
        taken_cold(self, mutex, request->limit ? DLW_HELD_TIMED : 0, call);
    else
        self->calls++;
    return result;
}

static const struct request no_limit;

/*
 * Takes a mutex that may be tried by libc, if it is free. In a process of one thread glibc locks
 * without an atomic operation, but does not try so.
 */
static int take(pthread_mutex_t *mutex)
{
    if (dlw_is_single_threaded() && dlw_mutex_word(mutex) == 0)
        return real.pthread_mutex_lock(mutex);
    return real.pthread_mutex_trylock(mutex);
}

/* The fast path of the wrappers is that of a thread in `dlw_fast` (record.h), and of a mutex of the
 * normal kind. Whatever else there is to ask is left to the cold half, so that the wrapper needs no
 * register that it would have to save: each store before the atomic operation makes that one wait.
 */

static DLW_NOINLINE int lock_busy(struct dlw_thread *self, pthread_mutex_t *mutex,
                                  const struct dlw_frame *from)
{
    return lock_slow(self, mutex, &no_limit, from);
}

/* Errorcheck, robust and priority-inheriting mutexes must not be tried first; a recursive one may
 * be held by this thread already. */
static int lock_through_libc(struct dlw_thread *self, pthread_mutex_t *mutex,
                             const struct dlw_frame *from)
{
    unsigned kind = dlw_mutex_kind(mutex);

    if (!is_plain(kind) || take(mutex) != 0)
        return lock_slow(self, mutex, &no_limit, from);
    if (!is_again(mutex, kind))
        return taken(self, mutex, true, 0, from);
    self->calls++;
    return 0;
}

/* A thread's first call, one that passes, and all where libc takes the mutexes. */
static DLW_NOINLINE int lock_any(pthread_mutex_t *mutex, const struct dlw_frame *from)
{
    struct dlw_thread *self = dlw_thread_self();

    if (dlw_thread_passes(self))
        return real.pthread_mutex_lock(mutex);
    dlw_fast_opens(self);
    dlw_role_asks(self, mutex, DLW_LOCK_MUTEX, DLW_EXCLUSIVE, dlw_call_of(from));
    return lock_through_libc(self, mutex, from);
}

static bool is_mine(const struct dlw_thread *self, const pthread_mutex_t *mutex)
{
    return dlw_mutex_owner(mutex) == self->owner;
}

/* It holds the recursive mutex already. */
static int lock_again(struct dlw_thread *self, pthread_mutex_t *mutex)
{
    self->calls++;
    return dlw_direct_again(mutex) ? 0 : real.pthread_mutex_lock(mutex);
}

/* By a thread in `dlw_fast`: a mutex that is not of the normal kind. */
static DLW_NOINLINE int lock_special(struct dlw_thread *self, pthread_mutex_t *mutex,
                                     const struct dlw_frame *from)
{
    bool is_taken;

    if (dlw_direct_is_recursive(mutex)) {
        if (is_mine(self, mutex))
            return lock_again(self, mutex);
        is_taken = dlw_direct_try_first(mutex, self->owner);
    } else if (dlw_direct_fits(mutex)) {
        is_taken = dlw_direct_try(mutex, self->owner);
    } else {
        return lock_through_libc(self, mutex, from);
    }
    if (!is_taken)
        return lock_busy(self, mutex, from);
    return taken(self, mutex, true, 0, from);
}

static DLW_HOT int lock(pthread_mutex_t *mutex, const struct dlw_frame *from)
{
    struct dlw_thread *self = dlw_fast;

    if (!self)
        return dlw_in_frame(lock_any(mutex, DLW_FRAME(from)));
    if (!dlw_direct_is_normal(mutex))
        return dlw_in_frame(lock_special(self, mutex, DLW_FRAME(from)));
    if (__builtin_expect(!dlw_direct_try(mutex, self->owner), 0))
        return dlw_in_frame(lock_busy(self, mutex, DLW_FRAME(from)));
    return taken(self, mutex, true, 0, from);
}

DLW_EXPORT int pthread_mutex_lock(pthread_mutex_t *mutex)
{
    return lock(mutex, NULL);
}

int dlw_mutex_lock(pthread_mutex_t *mutex, const struct dlw_frame *from)
{
    return lock(mutex, from);
}

/* A timed call with a broken limit must say EINVAL exactly when the real one does: no try before
 * it. */
static DLW_HOT int timed(pthread_mutex_t *mutex, const struct request *request,
                         const struct dlw_frame *from)
{
    struct dlw_thread *self = dlw_thread_self();

    if (dlw_thread_passes(self))
        return real_lock(mutex, request);
    return dlw_in_frame(lock_slow(self, mutex, request, from));
}

DLW_EXPORT int pthread_mutex_timedlock(pthread_mutex_t *mutex, const struct timespec *limit)
{
    struct request request = {.limit = limit};

    return timed(mutex, &request, DLW_FRAME_HERE());
}

int dlw_mutex_timedlock(pthread_mutex_t *mutex, const struct timespec *limit,
                        const struct dlw_frame *from)
{
    struct request request = {.limit = limit};

    return timed(mutex, &request, from);
}

DLW_EXPORT int pthread_mutex_clocklock(pthread_mutex_t *mutex, clockid_t clock,
                                       const struct timespec *limit)
{
    struct request request = {.limit = limit, .clock = clock, .has_clock = true};

    return timed(mutex, &request, DLW_FRAME_HERE());
}

static int tried_in_vain(struct dlw_thread *self, const pthread_mutex_t *mutex,
                         const struct dlw_frame *from)
{
    return dlw_trail_tried(self, mutex, DLW_TRAITS(DLW_LOCK_MUTEX, DLW_EXCLUSIVE, 0, 0), from->pc);
}

static int trylock_through_libc(struct dlw_thread *self, pthread_mutex_t *mutex,
                                const struct dlw_frame *from)
{
    int result = real.pthread_mutex_trylock(mutex);
    unsigned kind = dlw_mutex_kind(mutex);
    if ((result == 0 || result == EOWNERDEAD) && !is_again(mutex, kind))
        taken(self, mutex, is_plain(kind) || dlw_mutex_has_mark(mutex), DLW_HELD_TRY, from);
    else if (result == EBUSY)
        tried_in_vain(self, mutex, from);
    else
        self->calls++;
    return result;
}

static DLW_NOINLINE int trylock_any(pthread_mutex_t *mutex, const struct dlw_frame *from)
{
    struct dlw_thread *self = dlw_thread_self();

    if (dlw_thread_passes(self))
        return real.pthread_mutex_trylock(mutex);
    dlw_fast_opens(self);
    return trylock_through_libc(self, mutex, from);
}

static DLW_NOINLINE int trylock_special(struct dlw_thread *self, pthread_mutex_t *mutex,
                                        const struct dlw_frame *from)
{
    bool is_taken;

    if (dlw_direct_is_recursive(mutex)) {
        if (is_mine(self, mutex))
            return lock_again(self, mutex); /* also where its count is full: EAGAIN */
        is_taken = dlw_direct_try_first(mutex, self->owner);
    } else if (dlw_direct_fits(mutex)) {
        is_taken = dlw_direct_try(mutex, self->owner);
    } else {
        return trylock_through_libc(self, mutex, from);
    }
    return is_taken ? taken(self, mutex, true, DLW_HELD_TRY, from)
                    : tried_in_vain(self, mutex, from);
}

static DLW_HOT int trylock(pthread_mutex_t *mutex, const struct dlw_frame *from)
{
    struct dlw_thread *self = dlw_fast;

    if (!self)
        return dlw_in_frame(trylock_any(mutex, DLW_FRAME(from)));
    if (!dlw_direct_is_normal(mutex))
        return dlw_in_frame(trylock_special(self, mutex, DLW_FRAME(from)));
    if (!dlw_direct_try(mutex, self->owner))
        return dlw_in_frame(tried_in_vain(self, mutex, DLW_FRAME(from)));
    return taken(self, mutex, true, DLW_HELD_TRY, from);
}

DLW_EXPORT int pthread_mutex_trylock(pthread_mutex_t *mutex)
{
    return trylock(mutex, NULL);
}

int dlw_mutex_trylock(pthread_mutex_t *mutex, const struct dlw_frame *from)
{
    return trylock(mutex, from);
}

/* Does this unlock free the mutex, and can its kind not refuse? */
static inline bool is_last_unlock(const pthread_mutex_t *mutex, unsigned kind)
{
    return kind == PTHREAD_MUTEX_NORMAL || kind == PTHREAD_MUTEX_ADAPTIVE_NP ||
           (kind == PTHREAD_MUTEX_RECURSIVE && dlw_mutex_count(mutex) == 1);
}

/* The mutex is not on the thread's held stack: another thread holds it, or its entry was lost. */
static DLW_COLD int unlock_unheld(struct dlw_thread *self, pthread_mutex_t *mutex,
                                  const struct dlw_frame *from)
{
    struct dlw_call call = dlw_call_of(from);
    struct dlw_lock_ref ref = dlw_mutex_ref(mutex);
    unsigned kind = dlw_mutex_kind(mutex);
    struct dlw_accusation accusation;

    self->calls++;
    if (ref.id && atomic_load_explicit(ref.id, memory_order_relaxed) == DLW_MARK_SIGNAL)
        return dlw_gil_is_mutex(mutex) ? dlw_gil_unlock(self, mutex, from)
                                       : real.pthread_mutex_unlock(mutex);
    dlw_misuse_unlock_before(self, &ref, &call, &accusation);
    if (accusation.is_made && kind != PTHREAD_MUTEX_ERRORCHECK && is_plain(kind) &&
        !is_recursive(kind)) {
        dlw_misuse_handed_over(self, &accusation);
        return real.pthread_mutex_unlock(mutex);
    }
    int result = real.pthread_mutex_unlock(mutex);
    dlw_misuse_unlock_after(self, &accusation, result);
    return result;
}

/* Unlocks a mutex of a kind that may refuse: the entry is taken out before the real call, and put
 * back when that fails. */
static DLW_COLD int unlock_or_restore(struct dlw_thread *self, pthread_mutex_t *mutex, int index)
{
    struct dlw_held_lock kept;

    __builtin_memcpy(&kept, dlw_held_at(self, (uint32_t)index), sizeof(kept));
    dlw_held_pop(self, (uint32_t)index);
    int result = real.pthread_mutex_unlock(mutex);
    if (result != 0)
        dlw_held_restore(self, &kept);
    return result;
}

/* The object is not touched after the real call: it may be freed. */
static DLW_NOINLINE int unlock_through_libc(struct dlw_thread *self, pthread_mutex_t *mutex,
                                            const struct dlw_frame *from)
{
    unsigned kind = dlw_mutex_kind(mutex);
    int index = dlw_held_find(self, mutex);
    if (index < 0)
        return unlock_unheld(self, mutex, from);
    if (is_recursive(kind) && dlw_mutex_count(mutex) > 1) {
        self->calls++;
        return real.pthread_mutex_unlock(mutex);
    }
    dlw_held_leaves(dlw_held_at(self, (uint32_t)index), dlw_call_of(from));
    if (!is_last_unlock(mutex, kind))
        return unlock_or_restore(self, mutex, index);
    dlw_held_pop(self, (uint32_t)index);
    return real.pthread_mutex_unlock(mutex);
}

static DLW_NOINLINE int unlock_any(pthread_mutex_t *mutex, const struct dlw_frame *from)
{
    struct dlw_thread *self = dlw_thread_self();

    if (dlw_thread_passes(self)) {
        dlw_passed_release(self, mutex);
        return real.pthread_mutex_unlock(mutex);
    }
    dlw_fast_opens(self);
    int result = unlock_through_libc(self, mutex, from);
    dlw_role_left(self);
    return result;
}

/* It may stand on the held stack, if it was taken before that was known. */
static DLW_NOINLINE int unlock_handed_over(struct dlw_thread *self, pthread_mutex_t *mutex,
                                           const struct dlw_frame *from)
{
    if (dlw_held_find(self, mutex) >= 0)
        return unlock_through_libc(self, mutex, from);
    dlw_direct_unlock(mutex);
    return 0;
}

/* One of the fast kind that is no lock, as a GIL's, which its holder unlocks. */
static DLW_NOINLINE int unlock_signal(struct dlw_thread *self, pthread_mutex_t *mutex,
                                      const struct dlw_frame *from)
{
    uint64_t mark = atomic_load_explicit(&dlw_mutex_mark(mutex)->chain, memory_order_relaxed);

    self->calls++;
    if (mark >> 32 == DLW_GIL_MARK >> 32)
        return dlw_gil_unlock(self, mutex, from);
    if (mark != DLW_GIL_SWITCH_MARK)
        return unlock_handed_over(self, mutex, from);
    dlw_direct_unlock(mutex);
    return 0;
}

/* A mutex of the fast kind that is not the last entry: mostly it is the one before, of two that are
 * released in the order taken. */
static DLW_NOINLINE int unlock_inner(struct dlw_thread *self, pthread_mutex_t *mutex,
                                     const struct dlw_frame *from)
{
    uint32_t depth = dlw_held_depth(self);

    if (depth < 2 || !dlw_held_is_of(dlw_held_at(self, depth - 2), mutex))
        return id_of(mutex, true) == DLW_MARK_SIGNAL && is_mine(self, mutex)
                   ? unlock_signal(self, mutex, from)
                   : unlock_through_libc(self, mutex, from);
    dlw_held_leaves(dlw_held_at(self, depth - 2), dlw_call_of(from));
    dlw_held_remove(self, depth - 2);
    dlw_direct_unlock(mutex);
    return 0;
}

/* Unlocks the last entry from another frame than the one that took it: the call site can be learned
 * from. */
static DLW_NOINLINE int unlock_telling(struct dlw_thread *self, pthread_mutex_t *mutex,
                                       const struct dlw_frame *from)
{
    uint32_t index = dlw_held_depth(self) - 1;

    dlw_held_assess(dlw_held_at(self, index), dlw_call_of(from));
    dlw_held_drop(self, dlw_held_at(self, index), index);
    dlw_direct_unlock(mutex);
    return 0;
}

/* By a thread in `dlw_fast`: a mutex that is neither normal nor adaptive. */
static DLW_NOINLINE int unlock_special(struct dlw_thread *self, pthread_mutex_t *mutex,
                                       const struct dlw_frame *from)
{
    if (!dlw_direct_is_recursive(mutex) || !is_mine(self, mutex))
        return unlock_through_libc(self, mutex, from);
    if (dlw_mutex_count(mutex) > 1) {
        self->calls++;
        dlw_direct_unlock_once(mutex);
        return 0;
    }
    int index = dlw_held_find(self, mutex);
    if (index < 0)
        return unlock_through_libc(self, mutex, from);
    dlw_held_let_go(self, (uint32_t)index, dlw_call_of(from));
    dlw_direct_unlock_last(mutex);
    return 0;
}

static DLW_HOT int unlock(pthread_mutex_t *mutex, const struct dlw_frame *from)
{
    struct dlw_thread *self = dlw_fast;

    if (!self)
        return dlw_in_frame(unlock_any(mutex, DLW_FRAME(from)));
    if (__builtin_expect(!dlw_direct_is_normal(mutex), 0) && !dlw_direct_fits(mutex))
        return dlw_in_frame(unlock_special(self, mutex, DLW_FRAME(from)));
    uint32_t depth = dlw_held_depth(self);
    struct dlw_held_lock *held = dlw_held_at(self, depth - 1);
    if (__builtin_expect(depth == 0 || self->holes || !dlw_held_is_of(held, mutex), 0))
        return dlw_in_frame(unlock_inner(self, mutex, DLW_FRAME(from)));
    if (__builtin_expect(dlw_held_tells(held, (uintptr_t)(DLW_FRAME(from) + 1)), 0))
        return dlw_in_frame(unlock_telling(self, mutex, DLW_FRAME(from)));
    dlw_held_drop(self, held, depth - 1);
    dlw_direct_unlock(mutex);
    return 0;
}

DLW_EXPORT int pthread_mutex_unlock(pthread_mutex_t *mutex)
{
    return unlock(mutex, NULL);
}

int dlw_mutex_unlock(pthread_mutex_t *mutex, const struct dlw_frame *from)
{
    return unlock(mutex, from);
}

/* ---- life ---- */

/*
 * Many mutexes live for one use only. The real init has cleared the mark words, so a new life
 * begins with two stores; an earlier lock at this address is retired when this one gets an
 * identity.
 */
static inline bool is_simple_place(struct dlw_thread *self, pthread_mutex_t *mutex)
{
    return (uintptr_t)mutex % 8 == 0 && dlw_held_depth(self) == 0 && dlw_marks_are_on &&
           !dlw_orphan_is_any() && !dlw_annotation_is_any();
}

static inline bool is_simple_life(struct dlw_thread *self, pthread_mutex_t *mutex)
{
    return dlw_mutex_kind(mutex) <= PTHREAD_MUTEX_RECURSIVE && is_simple_place(self, mutex);
}

/* May a destroy do as little? The mutex is free, and never got an identity. */
static inline bool is_unknown(pthread_mutex_t *mutex)
{
    uint64_t id = atomic_load_explicit(&dlw_mutex_mark(mutex)->id, memory_order_relaxed);

    return (id == 0 || dlw_mark_is_created(id)) && dlw_mutex_word(mutex) == 0;
}

/* An init or destroy call that needs the lock's record: it has an identity, or is known by
 * address. */
static DLW_NOINLINE void born(struct dlw_thread *self, pthread_mutex_t *mutex, uintptr_t place)
{
    struct dlw_lock_ref ref = dlw_mutex_ref(mutex);
    dlw_lock_enter_rebirth(self, &ref);
    dlw_held_forget(self, mutex);
    dlw_lock_reborn(&ref, place);
    dlw_guard_leave(self);
}

static DLW_HOT void begin_life(pthread_mutex_t *mutex, uint64_t id, uintptr_t place)
{
    struct dlw_mark *mark = dlw_mutex_mark(mutex);

    atomic_store_explicit(&mark->chain, place, memory_order_relaxed);
    atomic_store_explicit(&mark->id, id, memory_order_relaxed);
}

/* A thread may wait for it, though it is only now initialised. */
static DLW_COLD int init_waited(struct dlw_thread *self, pthread_mutex_t *mutex,
                                const pthread_mutexattr_t *attributes, const struct dlw_frame *from)
{
    struct dlw_call call = dlw_call_of(from);
    struct dlw_accusation accusation;

    dlw_misuse_init_before(self, (uintptr_t)mutex, DLW_LOCK_MUTEX, sizeof(*mutex), &call,
                           &accusation);
    int result = real.pthread_mutex_init(mutex, attributes);
    dlw_misuse_init_after(self, &accusation, result);
    return result;
}

static DLW_NOINLINE int init_any(pthread_mutex_t *mutex, const pthread_mutexattr_t *attributes,
                                 const struct dlw_frame *from)
{
    struct dlw_thread *self = dlw_thread_self();

    if (dlw_thread_passes(self))
        return real.pthread_mutex_init(mutex, attributes);
    self->calls++;
    int result = dlw_wait_may_be_for(mutex) ? init_waited(self, mutex, attributes, from)
                                            : real.pthread_mutex_init(mutex, attributes);
    if (result != 0)
        return result;
    if (is_simple_life(self, mutex))
        begin_life(mutex, dlw_mark_of_birth(self), from->pc);
    else
        born(self, mutex, from->pc);
    return 0;
}

DLW_EXPORT int pthread_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attributes)
{
    struct dlw_thread *self = dlw_fast;

    if (!self || attributes || !is_simple_place(self, mutex) || !dlw_mark_is_drawn(self) ||
        dlw_wait_may_be_for(mutex))
        return dlw_in_frame(init_any(mutex, attributes, DLW_FRAME_HERE()));
    self->calls++;
    dlw_direct_init(mutex);
    begin_life(mutex, dlw_mark_of_drawn(self), DLW_FRAME_HERE()->pc);
    return 0;
}

static DLW_COLD int destroy_known(struct dlw_thread *self, pthread_mutex_t *mutex,
                                  const struct dlw_frame *from)
{
    struct dlw_lock_ref ref = dlw_mutex_ref(mutex);
    struct dlw_call call = dlw_call_of(from);
    struct dlw_accusation accusation;

    if (ref.id && dlw_gil_is_mutex(mutex))
        dlw_gil_ends(self, mutex);
    dlw_misuse_destroy_before(self, &ref, dlw_mutex_held_word(mutex, dlw_mutex_kind(mutex)) != 0,
                              &call, &accusation);
    int result = real.pthread_mutex_destroy(mutex);
    dlw_misuse_destroy_after(self, &ref, &accusation, result);
    return result;
}

static DLW_NOINLINE int destroy_any(pthread_mutex_t *mutex, const struct dlw_frame *from)
{
    struct dlw_thread *self = dlw_thread_self();

    if (dlw_thread_passes(self))
        return real.pthread_mutex_destroy(mutex);
    self->calls++;
    if (!is_simple_life(self, mutex) || !is_unknown(mutex))
        return destroy_known(self, mutex, from);
    atomic_store_explicit(&dlw_mutex_mark(mutex)->id, 0, memory_order_relaxed);
    return real.pthread_mutex_destroy(mutex);
}

DLW_EXPORT int pthread_mutex_destroy(pthread_mutex_t *mutex)
{
    struct dlw_thread *self = dlw_fast;

    if (!self || !is_simple_life(self, mutex) || !is_unknown(mutex) || !dlw_direct_destroy(mutex))
        return dlw_in_frame(destroy_any(mutex, DLW_FRAME_HERE()));
    self->calls++;
    atomic_store_explicit(&dlw_mutex_mark(mutex)->id, 0, memory_order_relaxed);
    return 0;
}

DLW_EXPORT int pthread_mutex_consistent(pthread_mutex_t *mutex)
{
    dlw_thread_self()->calls++;
    return real.pthread_mutex_consistent(mutex);
}

/* ---- condition waits ---- */

bool dlw_mutex_given_up(struct dlw_thread *self, pthread_mutex_t *mutex, struct dlw_call call)
{
    int index = dlw_held_find(self, mutex);

    if (index < 0 || is_again(mutex, dlw_mutex_kind(mutex)))
        return index >= 0;
    dlw_held_let_go(self, (uint32_t)index, call);
    dlw_role_left(self);
    return true;
}

void dlw_mutex_had_again(struct dlw_thread *self, pthread_mutex_t *mutex, struct dlw_call call)
{
    if (!is_again(mutex, dlw_mutex_kind(mutex))) {
        taken_cold(self, mutex, 0, call);
        self->calls -= DLW_TRAIL_CALLS; /* the wait counted itself */
    }
}
