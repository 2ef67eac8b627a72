/*
 * sem_*. What a semaphore is shows in its use: started with one unit and posted only by those who
 * waited, it is a lock; with more units, a pool; posted by another thread (or started empty), a
 * signal, which orders nothing. One made taken is started empty in another way, until it is posted.
 * A cycle that is found before all that has shown waits for it (deferred.h). Only those whose
 * sem_init was seen are judged: their tail then holds our mark. The rest are signals.
 *
 * sem_wait is a cancellation point and must not change errno: a test for cancellation comes before
 * the try, and errno is put back.
 */
#include "interpose/base/proc.h"
#include "interpose/base/real.h"
#include "interpose/base/signals.h"
#include "interpose/locks/ref.h"
#include "interpose/locks/shared_semaphores.h"
#include "interpose/order/acquire.h"
#include "interpose/order/deferred.h"
#include "interpose/order/python_join.h"
#include "interpose/python/calls.h"
#include "interpose/python/runtime.h"
#include "interpose/stacks/walk.h"
#include "interpose/steer/pause.h"
#include "interpose/steer/role.h"
#include "interpose/tell/reporter.h"
#include "interpose/watch/motion.h"
#include "interpose/watch/wait.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>

static bool is_signal(sem_t *semaphore)
{
    return dlw_mark_is_signal(dlw_semaphore_mark(semaphore), (uintptr_t)semaphore);
}

/* A pool, or fresh. */
static inline bool is_special_mark(uint64_t mark)
{
    _Static_assert((DLW_MARK_POOL ^ DLW_MARK_FRESH) == 2ULL << 32, "one compare for both");
    return (mark >> 32 | 2) == DLW_MARK_POOL >> 32;
}

/*
 * Somebody takes the unit for the first time. A thread that tries for the semaphore it made last,
 * which nobody has had yet, means to create it taken: CPython begins an event so. Such a hold is no
 * evidence, whoever posts it. It keeps the fresh mark, so that its chains have other keys than
 * later ones.
 */
static DLW_COLD unsigned taken_first(struct dlw_thread *self, sem_t *semaphore, uint64_t *mark,
                                     unsigned flags)
{
    uint64_t fresh = *mark;
    uint64_t created = DLW_MARK_CREATED | (uint32_t)fresh;

    /* Fails if somebody has posted meanwhile, which made it a signal. Relaxed: nothing else is read
     * through the mark. */
    atomic_compare_exchange_strong_explicit(dlw_semaphore_id(semaphore), &fresh, created,
                                            memory_order_relaxed, memory_order_relaxed);
    flags |= DLW_HELD_FIRST;
    if ((flags & DLW_HELD_TRY) && (uint32_t)created == self->next_birth - 1)
        return flags | DLW_HELD_MADE;
    *mark = created;
    return flags;
}

/* The same of a semaphore that isn't CPython's. Where handlers are caught, its first post is to be
 * looked at. */
static DLW_COLD unsigned taken_first_here(struct dlw_thread *self, sem_t *semaphore, uint64_t *mark,
                                          unsigned flags)
{
    flags = taken_first(self, semaphore, mark, flags);
    return atomic_load_explicit(&dlw_signals_are_caught, memory_order_relaxed)
               ? flags | DLW_HELD_TRIAL /* so that its post does not pass by the short way */
               : flags;
}

static uint32_t tid_of(struct dlw_thread *self)
{
    return atomic_load_explicit(&self->tid, memory_order_relaxed);
}

/* Returns 0. */
static DLW_NOINLINE int taken_shared(struct dlw_thread *self, sem_t *semaphore,
                                     const struct dlw_frame *from)
{
    dlw_shared_semaphore_taken(semaphore, tid_of(self), dlw_call_of(from));
    return 0;
}

/* A unit that another thread has posted. Returns 0. */
static DLW_NOINLINE int taken_signal(struct dlw_thread *self, sem_t *semaphore,
                                     const struct dlw_frame *from)
{
    self->calls++;
    dlw_held_drop_lost(self);
    if (dlw_semaphore_mark(semaphore) == DLW_MARK_ENDED)
        return dlw_python_joined(self, semaphore);
    return dlw_semaphore_is_shared(semaphore) ? taken_shared(self, semaphore, from) : 0;
}

/* Returns 0. */
static DLW_HOT int taken(struct dlw_thread *self, sem_t *semaphore, unsigned flags,
                         const struct dlw_frame *from)
{
    uint64_t mark = dlw_semaphore_mark(semaphore);

    if (dlw_mark_is_signal(mark, (uintptr_t)semaphore))
        return dlw_in_frame(taken_signal(self, semaphore, DLW_FRAME(from)));
    if (is_special_mark(mark))
        flags = dlw_mark_is_pool(mark) ? flags | DLW_HELD_POOL
                                       : taken_first_here(self, semaphore, &mark, flags);
    return dlw_acquire(self, semaphore, mark, dlw_semaphore_chain(semaphore),
                       DLW_TRAITS(DLW_LOCK_SEMAPHORE, DLW_EXCLUSIVE, flags, 1), from);
}

/* ---- CPython's locks ---- */

/* The GIL that the thread holds, 0: none that is known. An interpreter ends with its GIL taken, and
 * its memory may be no more. */
static uintptr_t held_gil(struct dlw_thread *self)
{
    for (uint32_t i = dlw_held_depth(self); i-- > 0;) {
        const struct dlw_held_lock *held = dlw_held_at(self, i);
        uintptr_t gil = atomic_load_explicit(&held->lock, memory_order_relaxed);
        if (held->kind == DLW_LOCK_GIL && dlw_held_is_there(held) && !dlw_python_is_gone(gil))
            return gil;
    }
    return 0;
}

static struct dlw_python_request request_of(struct dlw_thread *self)
{
    uintptr_t gil = held_gil(self);

    return gil ? dlw_python_request(gil, self->handle)
               : (struct dlw_python_request){.asks = DLW_PYTHON_UNKNOWN};
}

/*
 * Who waits until another thread has imported a module tries for a lock, so that it is taken, and
 * then waits for it: an event. What guards the import is no lock of the system's, and CPython
 * itself sees circles of them.
 */
static DLW_COLD bool is_event_of_import(struct dlw_thread *self, sem_t *semaphore,
                                        const struct dlw_python_request *request)
{
    struct dlw_lock_ref ref = dlw_semaphore_ref(semaphore);

    if (request->asks != DLW_PYTHON_UNKNOWN || !dlw_python_is_importing(request))
        return false;
    dlw_guard_enter(self);
    dlw_report_trait(self, &ref, DLW_TRAIT_SIGNAL);
    dlw_lock_becomes_signal(&ref);
    dlw_guard_leave(self);
    return true;
}

/*
 * The first taking, by the thread that made it. A `with` takes a lock. Taken by a call it may be an
 * event, which others post: the waiters' locks of the module threading are.
 */
static DLW_COLD unsigned first_flags(struct dlw_thread *self, const sem_t *semaphore,
                                     const struct dlw_python_request *request, unsigned flags)
{
    if (flags & DLW_HELD_MADE && dlw_python_makes_end(request)) {
        self->python_end = (uintptr_t)semaphore;
        return flags | DLW_HELD_TRIAL; /* so that its post does not pass by the short way */
    }
    self->python_event.semaphore = request->asks == DLW_PYTHON_UNKNOWN ? (uintptr_t)semaphore : 0;
    self->python_event.life = dlw_semaphore_life((uintptr_t)semaphore);
    if (request->asks == DLW_PYTHON_WITH)
        return flags & ~(unsigned)(DLW_HELD_MADE | DLW_HELD_FIRST);
    if (request->asks == DLW_PYTHON_CALLS && !dlw_python_is_threading(request))
        return flags & ~(unsigned)DLW_HELD_MADE;
    return flags;
}

/* Taken by a try, as CPython begins each request. Where the line of Python would have waited, and
 * other locks are held than the GIL, which it would have dropped for that, it was asked for. */
static DLW_NOINLINE int asked_by_line(struct dlw_thread *self, sem_t *semaphore,
                                      struct dlw_call call)
{
    int index = dlw_held_find(self, semaphore);
    struct dlw_lock_ref ref = dlw_semaphore_ref(semaphore);

    if (index < 0 || (uint32_t)index + 1 != dlw_held_depth(self))
        return 0;
    struct dlw_held_lock *held = dlw_held_at(self, (uint32_t)index);
    if ((held->flags & DLW_HELD_POOL) || dlw_validate_was_tried(self, held, &ref) ||
        request_of(self).asks == DLW_PYTHON_UNKNOWN)
        return 0;
    dlw_validate_tried(self, held, &ref, &call);
    return 0;
}

/* Something that an order could begin with: the GIL is none here, and no event. */
static bool holds_more_than_gil(struct dlw_thread *self)
{
    for (uint32_t i = dlw_held_depth(self) - 1; i-- > 0;) {
        const struct dlw_held_lock *held = dlw_held_at(self, i);
        if (held->kind != DLW_LOCK_GIL && dlw_held_is_there(held) &&
            !(held->flags & (DLW_HELD_MADE | DLW_HELD_POOL)))
            return true;
    }
    return false;
}

/* The lock is had: pushes it, with its line. True: it was asked for before, with the same in hand.
 */
static DLW_HOT bool is_taken_as_before(struct dlw_thread *self, sem_t *semaphore, uint64_t mark,
                                       unsigned flags, const struct dlw_frame *from)
{
    const uint32_t traits = DLW_TRAITS(DLW_LOCK_SEMAPHORE, DLW_EXCLUSIVE, flags, 0);
    _Atomic uint64_t *chain = dlw_semaphore_chain(semaphore);
    uint32_t depth = dlw_held_depth(self);

    if (__builtin_expect(depth == 0 || !dlw_held_is_ready(self, depth), 0)) {
        dlw_acquire_slow(self, semaphore, mark, chain, traits | DLW_TRAITS(0, 0, 0, 1), from);
        return false;
    }
    struct dlw_held_lock *held = dlw_held_claim(self, depth);
    unsigned levels = dlw_held_note_line(self, held) ? DLW_LINE_LEVELS : 1;
    dlw_held_fill(self, held, depth, semaphore, mark, traits | DLW_TRAITS(0, 0, 0, levels),
                  dlw_call_of(from));
    if (__builtin_expect(levels == 1, 0)) {
        dlw_acquire_more(self, held, chain);
        return false;
    }
    return dlw_validate_is_current(self, held->key ^ DLW_KEY_TRIED, chain);
}

/* The first taking by a line of Python. False: it is no lock. */
static DLW_COLD bool is_first_of_lock(struct dlw_thread *self, sem_t *semaphore, uint64_t *mark,
                                      unsigned *flags)
{
    struct dlw_python_request request = request_of(self);

    if (is_event_of_import(self, semaphore, &request))
        return false;
    *flags = first_flags(self, semaphore, &request, taken_first(self, semaphore, mark, *flags));
    if (!(*flags & DLW_HELD_MADE))
        *mark = dlw_semaphore_mark(semaphore);
    return true;
}

static DLW_NOINLINE int taken_by_line(struct dlw_thread *self, sem_t *semaphore,
                                      const struct dlw_frame *from)
{
    uint64_t mark = dlw_semaphore_mark(semaphore);
    unsigned flags = DLW_HELD_TRY;

    if (dlw_mark_is_signal(mark, (uintptr_t)semaphore))
        return taken_signal(self, semaphore, from);
    if (is_special_mark(mark)) {
        if (dlw_mark_is_pool(mark))
            flags |= DLW_HELD_POOL;
        else if (!is_first_of_lock(self, semaphore, &mark, &flags))
            return 0;
    }
    if (is_taken_as_before(self, semaphore, mark, flags, from))
        return 0;
    return dlw_held_depth(self) > 1 && holds_more_than_gil(self)
               ? asked_by_line(self, semaphore, dlw_call_of(from))
               : 0;
}

struct request {
    clockid_t clock;
    const struct timespec *limit; /* NULL: none */
    bool has_clock;
};

static int real_wait(sem_t *semaphore, const struct request *request)
{
    if (!request->limit)
        return real.sem_wait(semaphore);
    if (request->has_clock)
        return real.sem_clockwait(semaphore, request->clock, request->limit);
    return real.sem_timedwait(semaphore, request->limit);
}

static DLW_COLD int wait_slow(struct dlw_thread *self, sem_t *semaphore,
                              const struct request *request, const struct dlw_frame *from)
{
    struct dlw_lock_ref ref = dlw_semaphore_ref(semaphore);
    bool orders = !is_signal(semaphore) && !dlw_mark_is_pool(dlw_semaphore_mark(semaphore));
    struct dlw_wait_for wait = {.on = (uintptr_t)semaphore,
                                .kind = DLW_WAIT_SEMAPHORE,
                                .lock_kind = DLW_LOCK_SEMAPHORE,
                                .mode = DLW_EXCLUSIVE,
                                .timed = request->limit != NULL,
                                .orders = orders ? &ref : NULL,
                                .call = dlw_call_of(from)};
    int kept = errno;

    dlw_wait_begin(self, &wait);
    dlw_pause_closes(self);
    errno = kept;
    int result = real_wait(semaphore, request);
    dlw_wait_end(self);
    if (__builtin_expect(self->withheld && result != 0 && errno == ETIMEDOUT, 0)) {
        dlw_guard_enter(self);
        dlw_deferred_gave_up(self, semaphore);
        dlw_guard_leave(self);
        errno = ETIMEDOUT;
    }
    if (result == 0)
        return taken(self, semaphore, request->limit ? DLW_HELD_TIMED : 0, from);
    self->calls++;
    return result;
}

static const struct request no_limit;

/* True: a unit was free. errno is as it was. */
static DLW_HOT bool tries(sem_t *semaphore)
{
    int *error = &errno;
    int kept = *error;

    pthread_testcancel();
    if (__builtin_expect(real.sem_trywait(semaphore) == 0, 1))
        return true;
    *error = kept;
    return false;
}

/* A thread's first call, or one that passes. */
static DLW_NOINLINE int wait_any(sem_t *semaphore, const struct request *request,
                                 const struct dlw_frame *from)
{
    struct dlw_thread *self = dlw_thread_self();

    if (dlw_thread_passes(self))
        return real_wait(semaphore, request);
    if (!request->limit)
        dlw_role_asks(self, semaphore, DLW_LOCK_SEMAPHORE, DLW_EXCLUSIVE, dlw_call_of(from));
    if (!request->limit && tries(semaphore))
        return taken(self, semaphore, 0, from);
    return wait_slow(self, semaphore, request, from);
}

DLW_EXPORT int sem_wait(sem_t *semaphore)
{
    struct dlw_thread *self = dlw_self;

    if (!dlw_thread_is_watched(self))
        return dlw_in_frame(wait_any(semaphore, &no_limit, DLW_FRAME_HERE()));
    if (!tries(semaphore))
        return dlw_in_frame(wait_slow(self, semaphore, &no_limit, DLW_FRAME_HERE()));
    return taken(self, semaphore, 0, NULL);
}

DLW_EXPORT int sem_timedwait(sem_t *restrict semaphore, const struct timespec *restrict limit)
{
    struct request request = {.limit = limit};

    return dlw_in_frame(wait_any(semaphore, &request, DLW_FRAME_HERE()));
}

DLW_EXPORT int sem_clockwait(sem_t *restrict semaphore, clockid_t clock,
                             const struct timespec *restrict limit)
{
    struct request request = {.limit = limit, .clock = clock, .has_clock = true};

    return dlw_in_frame(wait_any(semaphore, &request, DLW_FRAME_HERE()));
}

/* Apart, so that CPython's saves no registers for it. */
static DLW_NOINLINE int taken_by_try(struct dlw_thread *self, sem_t *semaphore,
                                     const struct dlw_frame *from)
{
    return taken(self, semaphore, DLW_HELD_TRY, from);
}

DLW_EXPORT int sem_trywait(sem_t *semaphore)
{
    struct dlw_thread *self = dlw_thread_self();
    int result = real.sem_trywait(semaphore);

    if (dlw_thread_passes(self))
        return result;
    if (result != 0) {
        self->calls++;
        return result;
    }
    if (__builtin_expect(dlw_python_takes_lock(DLW_FRAME_HERE()->pc), 0))
        return dlw_in_frame(taken_by_line(self, semaphore, DLW_FRAME_HERE()));
    return dlw_in_frame(taken_by_try(self, semaphore, DLW_FRAME_HERE()));
}

/*
 * A thread that holds no unit posts it: from now on the semaphore is a signal, also if it was a
 * pool (the free places of a queue). Called before the real post: the thread that this wakes may
 * free the semaphore.
 */
static DLW_COLD void posted_by_other(struct dlw_thread *self, sem_t *semaphore)
{
    struct dlw_lock_ref ref = dlw_semaphore_ref(semaphore);

    if (is_signal(semaphore)) {
        if (dlw_semaphore_is_shared(semaphore))
            dlw_shared_semaphore_posted(semaphore, tid_of(self));
        return;
    }
    dlw_guard_enter(self);
    dlw_report_trait(self, &ref, DLW_TRAIT_SIGNAL);
    dlw_deferred_loses(semaphore);
    dlw_lock_becomes_signal(&ref);
    dlw_held_disown_everywhere(ref.address);
    dlw_guard_leave(self);
}

/* Did the handler take it itself? Then it was taken further in than the code that it interrupts, or
 * that is among its callers that were noted. */
static bool is_taken_inside(const struct dlw_held_lock *held, const struct dlw_call *interrupted,
                            bool is_elsewhere)
{
    for (unsigned i = 1; i < held->levels; i++)
        if (held->pc[i] == interrupted->pc)
            return true;
    return is_elsewhere ? dlw_signals_alternate_stack(&held->sp) : held->sp < interrupted->sp;
}

/* In one that has not taken it itself. Within a few calls; a step out of the kernel's signal frame
 * has no end of a frame. */
static bool is_in_handler(struct dlw_thread *self, struct dlw_call at,
                          const struct dlw_held_lock *held)
{
    enum { FEW = 16 };
    bool is_elsewhere = dlw_signals_alternate_stack(&at.sp);
    struct dlw_memory memory = {at.sp, is_elsewhere ? at.sp : self->stack_high, NULL};
    enum dlw_walk_end end;
    uintptr_t cfa = 1;

    for (int i = 0; i < FEW && cfa && dlw_frames_step(&at, &memory, &cfa, &end); i++)
        if (!cfa)
            return !is_taken_inside(held, &at, is_elsewhere);
    return is_elsewhere && !dlw_signals_alternate_stack(&held->sp);
}

/*
 * The first post of a semaphore since it was made, by the thread that took it, where handlers are
 * caught. A handler of this thread's looks as if the thread had let it go: it is an event.
 */
static DLW_COLD bool is_first_by_handler(struct dlw_thread *self, struct dlw_held_lock *held,
                                         struct dlw_call call)
{
    if (!(held->flags & DLW_HELD_FIRST) || dlw_python_takes_lock(held->pc[0]))
        return false;
    held->flags &= (uint8_t)~DLW_HELD_TRIAL; /* nothing is learned of the place that took it */
    dlw_guard_enter(self);
    bool is_by_handler = is_in_handler(self, call, held);
    dlw_guard_leave(self);
    return is_by_handler;
}

/* Findings wait for this post. They are told when it is done: that takes its time. */
static DLW_COLD int post_awaited(struct dlw_thread *self, sem_t *semaphore)
{
    dlw_guard_enter(self);
    struct dlw_deferred *ripe = dlw_deferred_posts(self, semaphore);
    int result = real.sem_post(semaphore);
    dlw_deferred_tell(self, ripe);
    dlw_guard_leave(self);
    return result;
}

static DLW_COLD void outlives(struct dlw_thread *self, sem_t *semaphore)
{
    struct dlw_lock_ref ref = dlw_semaphore_ref(semaphore);

    dlw_guard_enter(self);
    if (dlw_lock_outlives(&ref))
        dlw_report_trait(self, &ref, DLW_TRAIT_OUTLIVES);
    dlw_guard_leave(self);
}

/* Switched off or not, others may still ask who has one that is shared. */
static DLW_COLD void post_passes(struct dlw_thread *self, sem_t *semaphore)
{
    if (dlw_semaphore_is_shared(semaphore))
        dlw_shared_semaphore_posted(semaphore, tid_of(self));
    else if (!(self->guard & DLW_GUARD_OFF) && !is_signal(semaphore))
        atomic_store_explicit(dlw_semaphore_id(semaphore), DLW_MARK_SIGNAL, memory_order_relaxed);
}

static DLW_NOINLINE int post_any(sem_t *semaphore, const struct dlw_frame *from)
{
    struct dlw_thread *self = dlw_thread_self();

    if (dlw_thread_passes(self)) {
        post_passes(self, semaphore);
        return real.sem_post(semaphore);
    }
    if (dlw_semaphore_has_waiters(semaphore))
        dlw_motion_signals(self, semaphore);
    int index = dlw_held_depth(self) ? dlw_held_find(self, semaphore) : -1;
    if (index >= 0) {
        if (__builtin_expect(self->python_end == (uintptr_t)semaphore, 0))
            dlw_python_ends(self, (uint32_t)index);
        if (dlw_held_may_outlive(self, semaphore) && dlw_held_outlives(self, (uintptr_t)semaphore))
            outlives(self, semaphore);
        bool is_event =
            atomic_load_explicit(&dlw_signals_are_caught, memory_order_relaxed) &&
            is_first_by_handler(self, dlw_held_at(self, (uint32_t)index), dlw_call_of(from));
        dlw_held_let_go(self, (uint32_t)index, dlw_call_of(from));
        if (is_event)
            posted_by_other(self, semaphore);
        if (self->withheld)
            return post_awaited(self, semaphore);
    } else {
        self->calls++;
        posted_by_other(self, semaphore);
    }
    int result = real.sem_post(semaphore);
    dlw_role_left(self);
    return result;
}

DLW_EXPORT int sem_post(sem_t *semaphore)
{
    struct dlw_thread *self = dlw_self;

    if (!dlw_thread_is_watched(self) || dlw_semaphore_has_waiters(semaphore) ||
        dlw_held_may_outlive(self, semaphore) || self->withheld ||
        !dlw_held_drop_last(self, semaphore, DLW_CALL_HERE().sp))
        return dlw_in_frame(post_any(semaphore, DLW_FRAME_HERE()));
    return real.sem_post(semaphore);
}

DLW_EXPORT int sem_init(sem_t *semaphore, int shared, unsigned value)
{
    struct dlw_thread *self = dlw_thread_self();
    struct dlw_call call = DLW_CALL_HERE();
    int result = real.sem_init(semaphore, shared, value);

    if (dlw_thread_passes(self) || result != 0 || !dlw_marks_are_on)
        return result;
    self->calls++;
    if (shared) { /* other processes post it; a mark of an earlier life stays where it stood */
        if (!is_signal(semaphore))
            atomic_store_explicit(dlw_semaphore_id(semaphore), DLW_MARK_SIGNAL,
                                  memory_order_relaxed);
        dlw_shared_semaphore_gone(semaphore);
        dlw_shared_semaphore_made(semaphore, value);
        return result;
    }
    struct dlw_lock_ref ref = dlw_semaphore_ref(semaphore);
    dlw_semaphore_begins(ref.address);
    dlw_lock_enter_rebirth(self, &ref);
    dlw_python_end_goes(self, semaphore);
    dlw_held_forget(self, semaphore);
    dlw_deferred_loses(semaphore);
    dlw_lock_reborn(&ref, call.pc);
    uint64_t mark =
        value == 0   ? DLW_MARK_SIGNAL
        : value == 1 ? DLW_MARK_FRESH | (uint32_t)atomic_load_explicit(ref.id, memory_order_relaxed)
                     : DLW_MARK_POOL | value;
    atomic_store_explicit(ref.id, mark, memory_order_relaxed);
    dlw_guard_leave(self);
    return result;
}

DLW_EXPORT int sem_destroy(sem_t *semaphore)
{
    struct dlw_thread *self = dlw_thread_self();

    if (dlw_thread_passes(self))
        return real.sem_destroy(semaphore);
    /* CPython makes and destroys one for each lock, and frees the memory behind it: to ask for that
     * would cost twice as much as all else. */
    bool lacks =
        !dlw_python_is_code(DLW_CALL_HERE().pc) && dlw_proc_lacks(semaphore, sizeof(*semaphore));
    bool known =
        !lacks && (!is_signal(semaphore) || dlw_semaphore_mark(semaphore) == DLW_MARK_ENDED);
    bool is_shared = lacks || dlw_semaphore_is_shared(semaphore);
    int result = real.sem_destroy(semaphore);

    if (is_shared && result == 0)
        dlw_shared_semaphore_gone(semaphore);
    if (result == 0)
        dlw_python_end_goes(self, semaphore);
    if (!known || result != 0)
        return result;
    self->calls++;
    struct dlw_lock_ref ref = dlw_semaphore_ref(semaphore);
    dlw_lock_enter_rebirth(self, &ref);
    dlw_deferred_loses(semaphore);
    dlw_lock_reborn(&ref, 0);
    dlw_guard_leave(self);
    return result;
}

/* The units that are asked for are those that it has where it did not exist: who uses one name with
 * several numbers means several things by it. */
DLW_EXPORT sem_t *sem_open(const char *name, int flags, ...)
{
    struct dlw_thread *self = dlw_thread_self();
    mode_t mode = 0;
    unsigned value = 0;
    va_list more;

    if (!(flags & O_CREAT))
        return real.sem_open(name, flags);
    va_start(more, flags);
    mode = va_arg(more, mode_t);
    value = va_arg(more, unsigned);
    va_end(more);
    sem_t *semaphore = real.sem_open(name, flags, mode, value);
    if (semaphore != SEM_FAILED && !dlw_thread_passes(self)) {
        self->calls++;
        dlw_shared_semaphore_made(semaphore, value);
    }
    return semaphore;
}

DLW_EXPORT int sem_close(sem_t *semaphore)
{
    struct dlw_thread *self = dlw_thread_self();
    int result = real.sem_close(semaphore);

    if (result != 0 || dlw_thread_passes(self))
        return result;
    self->calls++;
    dlw_shared_semaphore_closed(semaphore);
    return 0;
}
