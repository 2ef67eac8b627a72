/* The life of threads: create, join, detach, names, and the end. */
#include "interpose/wrap/thread.h"

#include "interpose/base/ability.h"
#include "interpose/base/patch.h"
#include "interpose/base/real.h"
#include "interpose/base/trampoline.h"
#include "interpose/order/join_order.h"
#include "interpose/order/segments.h"
#include "interpose/order/span.h"
#include "interpose/python/runtime.h"
#include "interpose/stacks/capture.h"
#include "interpose/steer/pause.h"
#include "interpose/steer/role.h"
#include "interpose/tell/reporter.h"
#include "interpose/threads/alarm.h"
#include "interpose/threads/held.h"
#include "interpose/threads/joinable.h"
#include "interpose/watch/misuse.h"
#include "interpose/watch/stall.h"
#include "interpose/watch/wait.h"
#include "interpose/wrap/thread_end.h"

#include <errno.h>
#include <string.h>

static uint32_t stack_here(struct dlw_thread *self, struct dlw_call call)
{
    DLW_LIVE_ON_STACK(live);

    dlw_live_walk(self, &call, &live);
    return dlw_stack_of_live(&live);
}

/* ---- the end ---- */

static void end_thread(struct dlw_thread *self)
{
    /* it was cancelled in a wait, and has made no wrapped call since */
    if (self->guard & DLW_GUARD_WAITING)
        dlw_wait_left(self);
    dlw_guard_enter(self);
    self->is_ending = true;
    if (dlw_held_depth(self))
        dlw_misuse_exit_holding(self);
    dlw_learn_thread_ends(self);
    if (!dlw_joinable_ends(self))
        dlw_learn_drop_segment(self->segment);
    /* A cycle that other threads close later will name this thread, by its last name. */
    if (self->is_known)
        dlw_report_know_thread(self);
    dlw_report_flush(true);
    dlw_thread_end(self);
    dlw_stall_thread_ended();
}

void dlw_thread_end_start(void)
{
    dlw_end_start(end_thread);
}

/* What is left of a thread that had the handle before, and that nobody joined, goes. */
static void note_joinable(struct dlw_thread *self)
{
    struct dlw_ended unclaimed = dlw_joinable_add(self);

    dlw_ended_drop(&unclaimed);
    dlw_learn_drop_segment(unclaimed.segment);
}

static struct dlw_thread *main_thread; /* used again by another when it has ended: is_main tells */

/* How it ends nobody knows who has not begun it. The main thread mostly ends with the process; else
 * it says so (pthread_exit), and it may be joined too. */
void dlw_thread_end_watch(struct dlw_thread *self)
{
    if (!self->is_main) {
        dlw_end_watch_guest(self);
        return;
    }
    main_thread = self;
    note_joinable(self);
}

/* Noted here because at the thread's end its stack is gone. */
DLW_EXPORT void pthread_exit(void *value)
{
    struct dlw_thread *self = dlw_thread_self();

    if (!dlw_thread_passes(self)) {
        self->calls++;
        dlw_guard_enter(self);
        if (dlw_held_depth(self))
            self->exit_stack = stack_here(self, DLW_CALL_HERE());
        if (self->is_main)
            dlw_end_watch_guest(self);
        dlw_guard_leave(self);
    }
    real.pthread_exit(value);
    __builtin_unreachable();
}

/* ---- cancellation ---- */

static void cancels(pthread_t handle)
{
    struct dlw_thread *asked = dlw_thread_by_handle(handle);

    if (!asked) { /* one of the two sees the other: it can be found before it looks for this */
        dlw_joinable_note_cancel(handle);
        asked = dlw_thread_by_handle(handle);
    }
    if (!asked)
        return;
    atomic_store_explicit(&asked->is_cancelled, true, memory_order_seq_cst);
    dlw_alarm_withdraw(asked);
}

/*
 * Noted before the thread can know: from here on its waits at cancellation points end by
 * themselves, though they still read as published until it has been unwound to code that calls.
 */
DLW_EXPORT int pthread_cancel(pthread_t handle)
{
    struct dlw_thread *self = dlw_thread_self();

    if (!dlw_thread_passes(self)) {
        self->calls++;
        dlw_guard_enter(self);
        cancels(handle);
        dlw_guard_leave(self);
    }
    return real.pthread_cancel(handle);
}

/* Also in signal handlers: a store, and no lock. */
DLW_EXPORT int pthread_setcancelstate(int state, int *old)
{
    struct dlw_thread *self = dlw_self;

    dlw_real_resolve();
    int result = real.pthread_setcancelstate(state, old);
    if (result == 0 && self && !(self->guard & DLW_GUARD_OFF))
        atomic_store_explicit(&self->ignores_cancel, state == PTHREAD_CANCEL_DISABLE,
                              memory_order_relaxed);
    return result;
}

/* ---- create ---- */

/*
 * A signal handler of the program may come before all of ours in a new thread. What it called has
 * made a record for it, as for a thread that we did not begin; it would go on standing for this one
 * wherever threads are looked for by their number.
 */
static void end_early_record(void)
{
    /* One instruction: no handler comes in between. */
    struct dlw_thread *early = __atomic_exchange_n(&dlw_self, &dlw_nobody, __ATOMIC_RELAXED);

    if (!early || early == &dlw_nobody)
        return;
    dlw_end_forget_guest(early);
    end_thread(early);
}

static void begin_thread(struct dlw_thread *record, uintptr_t stack_top)
{
    end_early_record();
    dlw_guard_enter(record);
    dlw_thread_bind(record, stack_top);
    if (record->is_detached)
        dlw_joinable_claim_cancel(record);
    else
        note_joinable(record);
    dlw_guard_leave(record);
}

/* However the function is left: by its return, or unwound by pthread_exit or a cancellation. */
static void left(void *record)
{
    dlw_end_left(record);
}

DLW_TRAMPOLINE static void *run_thread(void *argument)
{
    struct dlw_thread *record = argument;
    void *value;

    begin_thread(record, (uintptr_t)__builtin_frame_address(0) + 2 * sizeof(void *));
    pthread_cleanup_push(left, record);
    value = record->routine.posix(record->argument);
    pthread_cleanup_pop(1);
    return value;
}

DLW_TRAMPOLINE static int run_c11_thread(void *argument)
{
    struct dlw_thread *record = argument;
    int value;

    begin_thread(record, (uintptr_t)__builtin_frame_address(0) + 2 * sizeof(void *));
    pthread_cleanup_push(left, record);
    value = record->routine.c11(record->argument);
    pthread_cleanup_pop(1);
    return value;
}

static struct dlw_thread *prepare(struct dlw_thread *self, uintptr_t routine, struct dlw_call call)
{
    dlw_guard_enter(self);
    self->calls++;
    struct dlw_thread *record =
        dlw_thread_new(self->id, stack_here(self, call), dlw_stack_of_pc(routine + 1));
    if (record) {
        /* a new thread has its creator's name, as in the kernel */
        memcpy(record->name, self->name, sizeof(record->name));
        dlw_learn_creates(self, record);
    }
    dlw_guard_leave(self);
    return record;
}

static void undo(struct dlw_thread *self, struct dlw_thread *record)
{
    dlw_guard_enter(self);
    dlw_spans_drop(record);
    dlw_learn_drop_segment(record->segment);
    dlw_thread_release(record);
    dlw_guard_leave(self);
}

/* Without its guard page. */
static size_t stack_size(const pthread_attr_t *attributes)
{
    pthread_attr_t by_default;
    size_t size = 0;
    size_t guard = 0;

    if (!attributes) {
        pthread_attr_init(&by_default);
        attributes = &by_default;
    }
    pthread_attr_getstacksize(attributes, &size);
    pthread_attr_getguardsize(attributes, &guard);
    return size > guard ? size - guard : 0;
}

static bool is_detached(const pthread_attr_t *attributes)
{
    int state = PTHREAD_CREATE_JOINABLE;

    if (attributes)
        pthread_attr_getdetachstate(attributes, &state);
    return state == PTHREAD_CREATE_DETACHED;
}

/* A library whose locks are known may have been loaded: a thread is the first that locks are good
 * for. */
static void look_for_libraries(struct dlw_thread *self)
{
    if (!dlw_patch_wants_look())
        return;
    dlw_guard_enter(self);
    dlw_patch_look();
    dlw_guard_leave(self);
}

static int create(pthread_t *handle, const pthread_attr_t *attributes, void *(*routine)(void *),
                  void *argument, struct dlw_call call)
{
    struct dlw_thread *self = dlw_thread_self();
    struct dlw_thread *record =
        dlw_thread_passes(self) ? NULL : prepare(self, (uintptr_t)routine, call);

    if (!record) {
        dlw_report_makes_thread();
        return real.pthread_create(handle, attributes, routine, argument);
    }
    look_for_libraries(self);
    if (dlw_python_is_code(call.pc) && !dlw_ability_missing(DLW_ABILITY_PYTHON_LOCKS) &&
        dlw_python_keeps_locks_inline((uintptr_t)self->handle, &self->python))
        dlw_ability_lacks(DLW_ABILITY_PYTHON_LOCKS, "this CPython keeps its locks inline");
    record->routine.posix = routine;
    record->argument = argument;
    record->is_detached = is_detached(attributes);
    record->stack_size = stack_size(attributes);
    bool is_first = dlw_is_single_threaded();
    int result = real.pthread_create(handle, attributes, run_thread, record);
    if (is_first)
        dlw_alarm_renew();
    if (result != 0)
        undo(self, record);
    return result;
}

DLW_EXPORT int pthread_create(pthread_t *restrict handle, const pthread_attr_t *restrict attributes,
                              void *(*routine)(void *), void *restrict argument)
{
    return create(handle, attributes, routine, argument, DLW_CALL_HERE());
}

DLW_EXPORT int thrd_create(thrd_t *handle, thrd_start_t routine, void *argument)
{
    struct dlw_thread *self = dlw_thread_self();
    struct dlw_thread *record =
        dlw_thread_passes(self) ? NULL : prepare(self, (uintptr_t)routine, DLW_CALL_HERE());

    if (!record) {
        dlw_report_makes_thread();
        return real.thrd_create(handle, routine, argument);
    }
    look_for_libraries(self);
    record->routine.c11 = routine;
    record->argument = argument;
    record->stack_size = stack_size(NULL);
    bool is_first = dlw_is_single_threaded();
    int result = real.thrd_create(handle, run_c11_thread, record);
    if (is_first)
        dlw_alarm_renew();
    if (result != thrd_success)
        undo(self, record);
    return result;
}

/* ---- join ---- */

struct joining {
    struct dlw_thread *self;
    pthread_t handle;
    struct dlw_call call;
    bool timed, waited;
};

static void wait_for_end(struct joining *joining)
{
    struct dlw_wait_for wait = {.on = (uintptr_t)joining->handle,
                                .kind = DLW_WAIT_JOIN,
                                .lock_kind = DLW_LOCK_THREAD,
                                .timed = joining->timed,
                                .call = joining->call};

    joining->self->calls++;
    joining->waited = true;
    if (!joining->timed)
        dlw_role_asks(joining->self, (const void *)joining->handle, /* NOLINT */
                      DLW_LOCK_THREAD, DLW_EXCLUSIVE, joining->call);
    dlw_wait_begin(joining->self, &wait);
    dlw_pause_closes(joining->self);
}

/*
 * The main thread was cancelled, which nothing tells in it: who has joined it runs its end. Its
 * handle is never another thread's. What it had blocked of signals is of no interest any more.
 */
static void end_main(struct dlw_thread *self)
{
    dlw_self = main_thread;
    main_thread->shield = (struct dlw_shield){0};
    main_thread->guard &= (uint32_t)DLW_GUARD_WAITING;
    end_thread(main_thread);
    dlw_self = self;
}

static bool is_main_unended(pthread_t handle)
{
    return main_thread && main_thread->is_main && pthread_equal(main_thread->handle, handle) &&
           atomic_load_explicit(&main_thread->tid, memory_order_relaxed);
}

static void joined(struct joining *joining)
{
    if (is_main_unended(joining->handle))
        end_main(joining->self);
    dlw_guard_enter(joining->self);
    struct dlw_ended ended = dlw_joinable_remove(joining->handle);
    if (dlw_held_depth(joining->self) && ended.n && joining->waited)
        dlw_join_order_learn(joining->self, &ended, joining->timed, &joining->call);
    dlw_ended_drop(&ended);
    dlw_learn_joined(joining->self, ended.segment);
    dlw_guard_leave(joining->self);
}

DLW_EXPORT int pthread_join(pthread_t handle, void **value)
{
    struct joining joining = {dlw_thread_self(), handle, DLW_CALL_HERE(), false, false};
    int result;

    if (dlw_thread_passes(joining.self))
        return real.pthread_join(handle, value);
    wait_for_end(&joining);
    result = real.pthread_join(handle, value);
    dlw_wait_end(joining.self);
    if (result == 0)
        joined(&joining);
    return result;
}

DLW_EXPORT int thrd_join(thrd_t handle, int *value)
{
    struct joining joining = {dlw_thread_self(), (pthread_t)handle, DLW_CALL_HERE(), false, false};
    int result;

    if (dlw_thread_passes(joining.self))
        return real.thrd_join(handle, value);
    wait_for_end(&joining);
    result = real.thrd_join(handle, value);
    dlw_wait_end(joining.self);
    if (result == thrd_success)
        joined(&joining);
    return result;
}

DLW_EXPORT int pthread_timedjoin_np(pthread_t handle, void **value, const struct timespec *limit)
{
    struct joining joining = {dlw_thread_self(), handle, DLW_CALL_HERE(), false, false};
    int result;

    if (dlw_thread_passes(joining.self))
        return real.pthread_timedjoin_np(handle, value, limit);
    joining.timed = limit != NULL;
    wait_for_end(&joining);
    result = real.pthread_timedjoin_np(handle, value, limit);
    dlw_wait_end(joining.self);
    if (result == 0)
        joined(&joining);
    return result;
}

DLW_EXPORT int pthread_clockjoin_np(pthread_t handle, void **value, clockid_t clock,
                                    const struct timespec *limit)
{
    struct joining joining = {dlw_thread_self(), handle, DLW_CALL_HERE(), false, false};
    int result;

    if (dlw_thread_passes(joining.self))
        return real.pthread_clockjoin_np(handle, value, clock, limit);
    joining.timed = limit != NULL;
    wait_for_end(&joining);
    result = real.pthread_clockjoin_np(handle, value, clock, limit);
    dlw_wait_end(joining.self);
    if (result == 0)
        joined(&joining);
    return result;
}

DLW_EXPORT int pthread_tryjoin_np(pthread_t handle, void **value)
{
    struct joining joining = {dlw_thread_self(), handle, DLW_CALL_HERE(), false, false};
    int result = real.pthread_tryjoin_np(handle, value);

    if (dlw_thread_passes(joining.self))
        return result;
    joining.self->calls++;
    if (result == 0)
        joined(&joining);
    return result;
}

static void detached(struct dlw_thread *self, pthread_t handle)
{
    dlw_guard_enter(self);
    self->calls++;
    struct dlw_ended ended = dlw_joinable_remove(handle);
    dlw_ended_drop(&ended);
    dlw_learn_drop_segment(ended.segment);
    dlw_guard_leave(self);
}

/* Before the real call: afterwards the handle may belong to another thread. */
DLW_EXPORT int pthread_detach(pthread_t handle)
{
    struct dlw_thread *self = dlw_thread_self();

    if (!dlw_thread_passes(self))
        detached(self, handle);
    return real.pthread_detach(handle);
}

DLW_EXPORT int thrd_detach(thrd_t handle)
{
    struct dlw_thread *self = dlw_thread_self();

    if (!dlw_thread_passes(self))
        detached(self, (pthread_t)handle);
    return real.thrd_detach(handle);
}

DLW_EXPORT int pthread_setname_np(pthread_t handle, const char *name)
{
    struct dlw_thread *self = dlw_thread_self();
    int result = real.pthread_setname_np(handle, name);

    if (dlw_thread_passes(self) || result != 0)
        return result;
    self->calls++;
    dlw_guard_enter(self);
    struct dlw_thread *named = dlw_thread_by_handle(handle);
    if (!named) { /* pairs with the load in dlw_thread_bind: one of the two sees the other */
        atomic_fetch_add_explicit(&dlw_threads_early_names, 1, memory_order_seq_cst);
        named = dlw_thread_by_handle(handle);
    }
    if (named) {
        strncpy(named->name, name, DLW_NAME_BYTES - 1);
        dlw_report_renamed(named);
    }
    dlw_guard_leave(self);
    return result;
}
