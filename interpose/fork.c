#include "interpose/fork.h"

#include "graph/base/sys.h"
#include "interpose/frames.h"
#include "interpose/create.h"
#include "interpose/locks.h"
#include "interpose/sink.h"
#include "interpose/stacks.h"
#include "interpose/state.h"
#include "interpose/thread.h"

#include <pthread.h>

static void before(void)
{
    struct dlw_thread *self = dlw_thread_self();

    dlw_guard_enter(self);
    dlw_create_before_fork();
    dlw_threads_lock();
    dlw_lock_acquire(&dlw_graph_lock);
    dlw_stacks_before_fork();
    dlw_frames_before_fork();
    dlw_sink_before_fork();
}

static void in_parent(void)
{
    dlw_sink_after_fork(false);
    dlw_frames_after_fork(false);
    dlw_stacks_after_fork(false);
    dlw_lock_release(&dlw_graph_lock);
    dlw_threads_unlock();
    dlw_create_after_fork(false);
    dlw_guard_leave(dlw_thread_self());
}

static void in_child(void)
{
    struct dlw_thread *self = dlw_thread_self();

    dlw_sink_after_fork(true);
    dlw_frames_after_fork(true);
    dlw_stacks_after_fork(true);
    dlw_lock_reset(&dlw_graph_lock);
    dlw_threads_after_fork(self);
    dlw_create_after_fork(true);
    dlw_locks_after_fork();
    dlw_pid_changed();
    self->inherits = true;
    dlw_guard_leave(self);
}

/* Registered first: prepare handlers run in reverse order, the others in this one, so ours are
 * innermost. */
void dlw_fork_start(void)
{
    pthread_atfork(before, in_parent, in_child);
}
