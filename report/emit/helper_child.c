/*
 * A process made like vfork's: it borrows our memory, and this stack below the caller's frame,
 * until it executes something or ends; only the calling thread waits meanwhile. So nothing is
 * copied however large the program is, no atfork handler runs, and what the child learns is seen
 * here. The rules that follow: all signals are blocked (a handler would run on borrowed memory),
 * the child never returns from the function that made it, and it calls nothing but the kernel.
 *
 * There are two in a row. The first has no exit signal, so neither SIGCHLD nor a plain waitpid(-1)
 * of the program notices it, and it is reaped here by name. The second, which becomes the command,
 * is thereby an orphan: execve would give it an exit signal, but its parent is gone.
 */
#include "report/emit/helper_child.h"

#include "graph/base/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/wait.h>

enum {
    KERNEL_SIGSET_BYTES = 8,
    N_SIGNALS = 64,
    ABOVE_STANDARD = 10,
    MOST_CLOSED = 65536, /* where close_range is missing */
    ORDINARY_SCHEDULER = 0,
};

__attribute__((noreturn)) static void leave(int status)
{
    for (;;)
        dlw_syscall(SYS_exit_group, status);
}

/* Caught signals must not run handlers on borrowed memory once unblocked, and ignored ones would
 * stay ignored in the command. All zero is the kernel's sigaction for "default". */
static void reset_signals(void)
{
    unsigned long by_default[4] = {0, 0, 0, 0};

    for (int signal_number = 1; signal_number <= N_SIGNALS; signal_number++)
        dlw_syscall(SYS_rt_sigaction, signal_number, by_default, 0, KERNEL_SIGSET_BYTES);
}

static void close_from(unsigned first)
{
    struct rlimit limit = {0, 0};

    if (dlw_syscall(SYS_close_range, first, ~0U, 0) == 0)
        return;
    dlw_syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, 0, &limit);
    unsigned end = limit.rlim_cur < MOST_CLOSED ? (unsigned)limit.rlim_cur : MOST_CLOSED;
    for (unsigned fd = first; fd < end; fd++)
        dlw_syscall(SYS_close, fd);
}

/* By way of high numbers: either descriptor may itself be 0, 1 or 2. */
static long place_descriptors(int input, int output)
{
    long high_input = dlw_syscall(SYS_fcntl, input, F_DUPFD, ABOVE_STANDARD);
    long high_output = dlw_syscall(SYS_fcntl, output, F_DUPFD, ABOVE_STANDARD);

    if (high_input < 0 || high_output < 0)
        return high_input < 0 ? high_input : high_output;
    dlw_syscall(SYS_dup3, high_input, 0, 0);
    dlw_syscall(SYS_dup3, high_output, 1, 0);
    dlw_syscall(SYS_dup3, high_output, 2, 0);
    close_from(3);
    return 0;
}

__attribute__((noreturn, noinline)) static void become_command(struct dlw_helper_launch *launch)
{
    uint64_t no_signals = 0;
    int priority = 0;

    reset_signals();
    long error = place_descriptors(launch->input, launch->output);
    if (error == 0) {
        /* A real-time program's helper must not run before everything else. */
        dlw_syscall(SYS_sched_setscheduler, 0, ORDINARY_SCHEDULER, &priority);
        dlw_syscall(SYS_rt_sigprocmask, SIG_SETMASK, &no_signals, 0, KERNEL_SIGSET_BYTES);
        error = dlw_syscall(SYS_execve, launch->command, launch->arguments, launch->environment);
    }
    launch->error = (int)error;
    leave(127);
}

/* Must be inlined into a function that does nothing in the child but call one that never returns:
 * parent and child share the frame. */
static inline __attribute__((always_inline)) long split(void)
{
    return dlw_syscall(SYS_clone, CLONE_VM | CLONE_VFORK, 0, 0, 0, 0);
}

__attribute__((noreturn, noinline)) static void be_intermediate(struct dlw_helper_launch *launch)
{
    long pid = split();

    if (pid == 0)
        become_command(launch);
    if (pid < 0)
        launch->error = (int)pid;
    else
        launch->pid = (int)pid;
    leave(0);
}

__attribute__((noinline)) static long make_intermediate(struct dlw_helper_launch *launch)
{
    long pid = split();

    if (pid == 0)
        be_intermediate(launch);
    return pid;
}

int dlw_helper_start(struct dlw_helper_launch *launch)
{
    launch->pid = 0;
    launch->error = 0;
    long pid = make_intermediate(launch);
    if (pid < 0) {
        launch->error = (int)pid;
        return 0;
    }
    while (dlw_syscall(SYS_wait4, pid, 0, __WALL, 0) == -EINTR)
        ;
    return launch->pid != 0 && launch->error == 0;
}
