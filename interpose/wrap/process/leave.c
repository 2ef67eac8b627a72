/*
 * Ways in which a process leaves the watched state: it confines itself, changes its root, or unmaps
 * code (how it ends stands in ends.c, how it becomes another in exec.c). Each is let through; what
 * is known is written first.
 *
 * A vfork child shares the parent's memory and must leave no trace in it: its pid tells.
 */
#include "graph/base/sys.h"
#include "interpose/base/ability.h"
#include "interpose/base/patch.h"
#include "interpose/base/proc.h"
#include "interpose/base/real.h"
#include "interpose/base/signals.h"
#include "interpose/base/state.h"
#include "interpose/python/runtime.h"
#include "interpose/stacks/modules.h"
#include "interpose/stacks/rules.h"
#include "interpose/tell/reporter.h"
#include "interpose/threads/alarm.h"
#include "interpose/threads/held.h"
#include "interpose/threads/hooks.h"
#include "interpose/threads/record.h"
#include "interpose/watch/gil.h"
#include "interpose/wrap/futex.h"
#include "interpose/wrap/process/ends.h"
#include "interpose/wrap/process/exec.h"
#include "report/emit/helper.h"

#include <dlfcn.h>
#include <errno.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

/*
 * The watched process itself, and not from inside the library: a thread that may hold an internal
 * lock passes. One whose wait is published holds none (this is a signal handler then).
 */
static bool is_watched(const struct dlw_thread *self)
{
    return !(dlw_thread_guard(self) & ~(uint32_t)DLW_GUARD_WAITING) &&
           (uint32_t)dlw_syscall(SYS_getpid) == dlw_pid();
}

/* The same where only what the process starts is told. */
static bool is_told(void)
{
    return dlw_tells_starts && !atomic_load_explicit(&dlw_confined, memory_order_relaxed) &&
           (uint32_t)dlw_syscall(SYS_getpid) == dlw_pid();
}

/* ---- seccomp ---- */

/*
 * Only what can succeed confines. Programs ask with a filter at address 0, which fails by design
 * (EFAULT), whether filters are there; and seccomp() has operations that only ask.
 */
static bool prctl_confines(const unsigned long a[4])
{
    return a[0] == SECCOMP_MODE_STRICT || (a[0] == SECCOMP_MODE_FILTER && a[1]);
}

static bool seccomp_confines(const long a[6])
{
    return a[0] == SECCOMP_SET_MODE_STRICT ? !a[1] && !a[2]
                                           : a[0] == SECCOMP_SET_MODE_FILTER && a[2];
}

/*
 * A filter may kill for any system call the program doesn't make itself: from here on none is made.
 * What was learned so far is written; the calls of this process pass.
 */
static void confines_itself(void)
{
    struct dlw_thread *self = dlw_thread_self();

    if (is_told())
        atomic_store_explicit(&dlw_confined, true, memory_order_relaxed);
    if (!is_watched(self))
        return;
    dlw_guard_enter(self);
    dlw_alarm_withdraw_all();
    dlw_helper_confine();
    dlw_switch_off(NULL); /* told here and now: another thread would do so under the filter */
    dlw_report_confine("the process confines itself (seccomp)");
    dlw_guard_leave(self);
    atomic_store_explicit(&dlw_confined, true, memory_order_relaxed);
}

/* ---- another root ---- */

DLW_EXPORT int chroot(const char *path)
{
    struct dlw_thread *self = dlw_thread_self();

    if (is_watched(self)) {
        dlw_guard_enter(self);
        dlw_report_changes_root();
        dlw_guard_leave(self);
    } else if (is_told()) {
        dlw_report_changes_root();
    }
    return real.chroot(path);
}

/* ---- names ---- */

/* The kernel cut it to size. */
static void renames_itself(void)
{
    struct dlw_thread *self = dlw_thread_self();

    if (!is_watched(self))
        return;
    dlw_guard_enter(self);
    dlw_thread_read_name(self);
    dlw_report_renamed(self);
    dlw_guard_leave(self);
}

DLW_EXPORT int prctl(int option, ...)
{
    va_list list;
    unsigned long a[4];

    va_start(list, option);
    for (int i = 0; i < 4; i++)
        a[i] = va_arg(list, unsigned long);
    va_end(list);
    dlw_thread_self(); /* libraries call this in their constructors, before ours */
    if (option == PR_SET_SECCOMP && prctl_confines(a))
        confines_itself();
    int result = real.prctl(option, a[0], a[1], a[2], a[3]);
    if (option == PR_SET_NAME && result == 0)
        renames_itself();
    return result;
}

/* A process by one of these has no fork handlers run; with CLONE_VM it is none of its own. */
static bool copies_memory(long number, const long a[6])
{
    const struct clone_args *arguments = (const void *)a[0]; /* NOLINT(performance-no-int-to-ptr) */

#ifdef SYS_fork
    if (number == SYS_fork)
        return true;
#endif
    return (number == SYS_clone && !(a[0] & CLONE_VM)) ||
           (number == SYS_clone3 && !(arguments->flags & CLONE_VM));
}

static bool is_special(long number)
{
#ifdef SYS_fork
    if (number == SYS_fork)
        return true;
#endif
    return number == SYS_seccomp || number == SYS_prctl || number == SYS_clone ||
           number == SYS_clone3 || number == SYS_exit_group || number == SYS_exit ||
           number == SYS_execve || number == SYS_rt_sigaction;
}

/* A handler that libc does not know of (signals.h); the kernel's structure begins with it. */
static void installs(const long a[6])
{
    uintptr_t handler;

    if (a[1] && dlw_proc_read((uintptr_t)a[1], &handler, sizeof(handler)) &&
        handler > (uintptr_t)SIG_IGN)
        dlw_signals_note((int)a[0]);
}

static DLW_COLD long special(long number, const long a[6])
{
    if (number == SYS_prctl)
        return prctl((int)a[0], a[1], a[2], a[3], a[4]);
    if (number == SYS_exit_group || (number == SYS_exit && dlw_is_single_threaded()))
        return real.syscall(number, (long)dlw_process_ends((int)a[0]), 0, 0, 0, 0, 0);
    if (number == SYS_execve) /* of any null pointer the kernel judges as in the call */
        return execve((const char *)a[0], (char *const *)a[1], /* NOLINT */
                      (char *const *)a[2]);                    /* NOLINT */
    if (number == SYS_rt_sigaction)
        installs(a);
    if (number == SYS_seccomp && seccomp_confines(a))
        confines_itself();
    if (!copies_memory(number, a))
        return real.syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
    dlw_hooks.before_fork();
    long result = real.syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
    if (result == 0)
        dlw_hooks.after_fork_in_child();
    else
        dlw_hooks.after_fork_in_parent();
    return result;
}

DLW_EXPORT long syscall(long number, ...)
{
    va_list list;
    long a[6];

    va_start(list, number);
    for (int i = 0; i < 6; i++)
        a[i] = va_arg(list, long);
    va_end(list);
    dlw_thread_self();
    if (number == SYS_futex)
        return dlw_futex_call(a, DLW_CALL_HERE());
    if (__builtin_expect(is_special(number), 0))
        return special(number, a);
    return real.syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* ---- processes without fork handlers ---- */

#if __GLIBC_PREREQ(2, 34)
DLW_EXPORT pid_t _Fork(void)
{
    dlw_hooks.before_fork();
    pid_t pid = real._Fork();
    if (pid == 0)
        dlw_hooks.after_fork_in_child();
    else
        dlw_hooks.after_fork_in_parent();
    return pid;
}
#endif

struct beginning {
    int (*function)(void *);
    void *argument;
};

static int begin(void *argument)
{
    struct beginning *beginning = argument; /* in the child's copy of its parent's stack */

    dlw_hooks.after_fork_in_child();
    return beginning->function(beginning->argument);
}

static const char shared_record[] =
    "a process that a thread cloned into the same memory has its thread-local memory as well";

/*
 * The clone will run beside the calling thread with the thread's own thread-local memory, and so
 * with its record: what one takes and lets go of can't be told from what the other does. Neither is
 * watched from here on, and of what the thread holds it is not known when it lets go.
 */
static void shares_record(struct dlw_thread *self)
{
    if (dlw_thread_passes(self))
        return;
    dlw_guard_enter(self);
    for (uint32_t i = 0; i < dlw_held_depth(self); i++)
        dlw_held_disown(self,
                        atomic_load_explicit(&dlw_held_at(self, i)->lock, memory_order_relaxed));
    dlw_ability_lacks(DLW_ABILITY_THREADS, shared_record);
    dlw_guard_leave(self);
    dlw_guard_set(self, DLW_GUARD_OFF);
}

/* After vfork() and its like the one waits until the other has left the memory. */
static bool runs_beside(int flags)
{
    return (flags & (CLONE_VM | CLONE_VFORK | CLONE_SETTLS)) == CLONE_VM;
}

DLW_EXPORT int clone(int (*function)(void *), void *stack, int flags, void *argument, ...)
{
    struct beginning beginning = {function, argument};
    va_list list;
    void *rest[3];

    va_start(list, argument);
    for (int i = 0; i < 3; i++)
        rest[i] = va_arg(list, void *);
    va_end(list);
    struct dlw_thread *self = dlw_thread_self();
    if (runs_beside(flags) && function && stack)
        shares_record(self);
    if ((flags & CLONE_VM) || !function || !stack)
        return real.clone(function, stack, flags, argument, rest[0], rest[1], rest[2]);
    dlw_hooks.before_fork();
    int pid = real.clone(begin, stack, flags, &beginning, rest[0], rest[1], rest[2]);
    dlw_hooks.after_fork_in_parent();
    return pid;
}

/* ---- dlclose ---- */

/* Rules are of code that may be gone, and other code may come in its place. */
DLW_EXPORT int dlclose(void *library)
{
    struct dlw_thread *self = dlw_thread_self();
    int result = real.dlclose(library);

    dlw_python_closed();
    dlw_gil_forget_last();
    if (!dlw_thread_passes(self)) {
        dlw_guard_enter(self);
        dlw_frames_forget();
        dlw_modules_forget();
        dlw_patch_is_due();
        dlw_guard_leave(self);
    }
    return result;
}
