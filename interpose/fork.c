#include "interpose/fork.h"

#include "graph/base/sys.h"
#include "interpose/base/objects.h"
#include "interpose/base/patch.h"
#include "interpose/base/real.h"
#include "interpose/base/state.h"
#include "interpose/locks/identity.h"
#include "interpose/locks/orphans.h"
#include "interpose/locks/shared_semaphores.h"
#include "interpose/order/deferred.h"
#include "interpose/stacks/capture.h"
#include "interpose/stacks/lines.h"
#include "interpose/stacks/rules.h"
#include "interpose/steer/avoid.h"
#include "interpose/steer/pause.h"
#include "interpose/tell/reporter.h"
#include "interpose/threads/held.h"
#include "interpose/threads/joinable.h"
#include "interpose/threads/profile.h"
#include "interpose/threads/record.h"
#include "interpose/watch/stall.h"
#include "interpose/wrap/thread_end.h"

#include <pthread.h>

/*
 * The fork that the calling thread is in. Of the thread and not of its record: threads without a
 * record fork too.
 *
 * The handlers may run more often than once: a program runs them by hand round a clone(), whose
 * wrapper runs them again; a signal handler forks between them. Only the outermost `before` takes
 * the locks, and only the parent's last call gives them back. A child has all of them from its
 * parent, so its first call makes them anew, and further ones find nothing to do.
 */
enum how {
    INSIDE, /* this thread may be in the middle of a change: also what a signal handler finds that
               interrupts one of the functions here */
    LOCKED, /* it holds every internal lock */
    LOOKS,  /* it holds none: the child looks whether they are free */
    NOTHING /* the library is off, or has not started */
};
static __thread struct {
    volatile uint32_t depth; /* volatile: signal handlers of this thread read both */
    volatile enum how how;
} forking;

/* Written before there is a second thread, or with libc's own lock of the handlers to come. */
static bool has_registered;
static bool others_are_first;

int __register_atfork(void (*before)(void), void (*in_parent)(void), void (*in_child)(void),
                      void *library);

/* A thread without a record comes or goes, with the guard of nobody. */
static bool is_inside(const struct dlw_thread *self)
{
    return self == &dlw_nobody ||
           (dlw_thread_guard(self) & ~(uint32_t)(DLW_GUARD_WAITING | DLW_GUARD_OFF)) != 0;
}

/* All internal locks, in the order of their ranks. */
static bool lock_graph(void)
{
    return dlw_lock_acquire(&dlw_graph_lock);
}

static void unlock_graph(bool child)
{
    (void)child;
    dlw_lock_release(&dlw_graph_lock);
}

static void unlock_threads(bool child)
{
    (void)child;
    dlw_threads_unlock();
}

static const struct {
    bool (*before)(void);
    void (*after)(bool child); /* here in the parent only */
} locks[] = {
    {dlw_patch_before_fork, dlw_patch_after_fork},
    {dlw_end_before_fork, dlw_end_after_fork},
    {dlw_joinables_before_fork, dlw_joinables_after_fork},
    {dlw_threads_lock, unlock_threads},
    {dlw_profile_before_fork, dlw_profile_after_fork},
    {lock_graph, unlock_graph},
    {dlw_stacks_before_fork, dlw_stacks_after_fork},
    {dlw_lines_before_fork, dlw_lines_after_fork},
    {dlw_orphan_before_fork, dlw_orphan_after_fork},
    {dlw_frames_before_fork, dlw_frames_after_fork},
    {dlw_report_before_fork, dlw_report_after_fork},
};
enum { LOCKS = sizeof(locks) / sizeof(locks[0]) };

static void unlock(size_t n)
{
    while (n--)
        locks[n].after(false);
}

/* False: one was not to be had, and none is held. */
static bool lock_all(void)
{
    for (size_t i = 0; i < LOCKS; i++)
        if (!locks[i].before()) {
            unlock(i);
            return false;
        }
    return true;
}

void dlw_fork_before(void)
{
    struct dlw_thread *self = dlw_thread_self();

    if (forking.depth++ > 0)
        return;
    if (!atomic_load_explicit(&dlw_is_on, memory_order_acquire)) {
        forking.how = NOTHING;
        return;
    }
    if (is_inside(self))
        return;
    dlw_guard_enter(self);
    dlw_guard_outlives_frame(self);
    if (others_are_first)
        forking.how = LOOKS;
    else if (lock_all())
        forking.how = LOCKED;
    else
        dlw_guard_leave(self);
}

void dlw_fork_in_parent(void)
{
    enum how how = forking.how;

    if (forking.depth == 0 || --forking.depth > 0)
        return;
    forking.how = INSIDE;
    if (how == LOCKED)
        unlock(LOCKS);
    if (how == LOCKED || how == LOOKS) {
        /* The child takes for told what it inherits, and a parent that only waits for its children
         * has no other occasion until a signal ends it. */
        dlw_report_flush(true);
        dlw_guard_leave(dlw_thread_self());
    }
}

/* The condition counts it among its waiters for ever here: whoever destroys it waits for that one.
 */
static bool note_wait_left_behind(struct dlw_thread *thread)
{
    uint64_t sequence = atomic_load_explicit(&thread->wait.sequence, memory_order_relaxed);
    struct dlw_orphan gone = {.lock = atomic_load_explicit(&thread->wait.on, memory_order_relaxed),
                              .tid = atomic_load_explicit(&thread->tid, memory_order_relaxed),
                              .thread = thread->id,
                              .kind = DLW_LOCK_CONDITION,
                              .in_parent = true};

    if (!(sequence & 1) ||
        atomic_load_explicit(&thread->wait.kind, memory_order_relaxed) != DLW_WAIT_CONDITION)
        return false;
    gone.stack = dlw_stack_of_waiting(thread, sequence);
    dlw_orphan_note(&gone);
    return true;
}

/* What other threads of the parent held is held for ever here, unless the child itself lets go of
 * it. */
static void note_left_behind(struct dlw_thread *thread)
{
    dlw_patch_left_others();

    struct dlw_held_lock *held = atomic_load_explicit(&thread->held, memory_order_relaxed);
    uint32_t depth = atomic_load_explicit(&thread->depth, memory_order_relaxed);

    for (uint32_t i = 0; i < depth; i++) {
        struct dlw_orphan gone = {.lock = atomic_load_explicit(&held[i].lock, memory_order_relaxed),
                                  .tid = atomic_load_explicit(&thread->tid, memory_order_relaxed),
                                  .thread = thread->id,
                                  .kind = held[i].kind,
                                  .mode = atomic_load_explicit(&held[i].mode, memory_order_relaxed),
                                  .in_parent = true};
        if (!dlw_held_is_there(&held[i]))
            continue;
        gone.stack = dlw_stack_of_others_held(thread, gone.lock);
        dlw_orphan_note(&gone);
    }
    bool waits = note_wait_left_behind(thread);
    if (depth || waits)
        dlw_report_know_thread(thread);
}

static void mark_inherited(struct dlw_thread *self)
{
    for (uint32_t i = 0; i < dlw_held_depth(self); i++)
        dlw_held_at(self, i)->flags |= DLW_HELD_INHERITED;
}

/* Locks may be held by threads that are not here, and what they guard half changed: nothing is
 * touched any more. The interrupted call, should the handler return to it, waits for none of them.
 */
static void give_up_child(struct dlw_thread *self)
{
    atomic_store_explicit(&dlw_is_on, false, memory_order_relaxed);
    if (self != &dlw_nobody)
        dlw_guard_set(self, DLW_GUARD_OFF);
    dlw_has_started = false;
    dlw_lock_open_all();
    if (forking.how == LOOKS)
        dlw_guard_lets_signals(); /* they are blocked since before the fork */
}

static void start_child(struct dlw_thread *self)
{
    dlw_objects_after_fork();
    dlw_report_after_fork(true);
    dlw_frames_after_fork(true);
    dlw_profile_after_fork(true);
    dlw_stacks_after_fork(true);
    dlw_lines_after_fork(true);
    dlw_lock_reset(&dlw_graph_lock);
    dlw_orphan_after_fork(true);
    dlw_deferred_after_fork();
    dlw_shared_semaphores_after_fork();
    dlw_patch_after_fork(true);
    dlw_threads_after_fork(self, note_left_behind);
    dlw_stall_after_fork(self);
    dlw_joinables_after_fork(true);
    dlw_end_after_fork(true);
    dlw_pause_after_fork();
    dlw_avoid_after_fork();
    dlw_pid_changed();
    mark_inherited(self);
    dlw_guard_leave(self);
}

/* Nobody else is there to let go of one: what is not free now never is. */
static bool takes_all_free(void)
{
    dlw_lock_open_all();
    if (!lock_all())
        return false;
    dlw_lock_wait_again();
    return true;
}

static bool is_another_process(void)
{
    return !atomic_load_explicit(&dlw_confined, memory_order_relaxed) &&
           (uint32_t)dlw_syscall(SYS_getpid) != dlw_pid();
}

void dlw_fork_in_child(void)
{
    struct dlw_thread *self = dlw_thread_self();
    bool is_known = forking.depth > 0;

    if (!dlw_has_started) { /* it starts in the child, as it would have in the parent */
        if (dlw_tells_starts && !atomic_load_explicit(&dlw_confined, memory_order_relaxed)) {
            dlw_report_after_fork(true);
            dlw_pid_changed();
        }
        return;
    }
    if (is_known && (forking.how == LOCKED || (forking.how == LOOKS && takes_all_free())))
        start_child(self);
    else if (is_known || is_another_process())
        give_up_child(self);
    forking.how = INSIDE;
    forking.depth = 0;
}

/*
 * Registered first: prepare handlers run in reverse order, the others in this one, so ours are
 * innermost, and nobody else's handler waits for its locks while we hold ours. With libc itself: a
 * program may have a __register_atfork of its own and run what is registered there by hand (Firefox
 * does).
 *
 * Who registers before our constructor (AddressSanitizer and other allocators do so at the first
 * allocation, which may be the loader's) has his handler run behind ours, and may wait there for a
 * thread that waits for us. Then no lock is held over the fork; the child looks whether all are
 * free, and goes on unwatched where one is not.
 */
void dlw_fork_start(void)
{
    has_registered = true;
    real.__register_atfork(dlw_fork_before, dlw_fork_in_parent, dlw_fork_in_child, NULL);
}

DLW_EXPORT int __register_atfork(void (*before)(void), void (*in_parent)(void),
                                 void (*in_child)(void), void *library)
{
    dlw_thread_self();
    others_are_first |= !has_registered;
    return real.__register_atfork(before, in_parent, in_child, library);
}
