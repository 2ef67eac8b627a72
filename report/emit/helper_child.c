/*
 * A process made like vfork's: it borrows our memory until it executes something or ends, on a
 * stack of its own; only the calling thread waits meanwhile. So nothing is copied however large the
 * program is, no atfork handler runs, and what the child learns is seen here. The rules that
 * follow: all signals are blocked (a handler would run on borrowed memory), and the child calls
 * nothing but the kernel.
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

/* A child leaves its frames without returning: what a sanitizer notes about them on the borrowed
 * memory would outlive them. */
#define BORROWED __attribute__((no_sanitize("address")))

BORROWED __attribute__((noreturn)) static void leave(int status)
{
    for (;;)
        dlw_syscall(SYS_exit_group, status);
}

/* Caught signals must not run handlers on borrowed memory once unblocked, and ignored ones would
 * stay ignored in the command. All zero is the kernel's sigaction for "default". */
BORROWED static void reset_signals(void)
{
    unsigned long by_default[4] = {0, 0, 0, 0};

    for (int signal_number = 1; signal_number <= N_SIGNALS; signal_number++)
        dlw_syscall(SYS_rt_sigaction, signal_number, by_default, 0, KERNEL_SIGSET_BYTES);
}

BORROWED static void close_from(unsigned first)
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
BORROWED static long place_descriptors(int input, int output)
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

BORROWED static void become_command(void *argument)
{
    struct dlw_helper_launch *launch = argument;
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

static long split(char *stack, void (*function)(void *), struct dlw_helper_launch *launch)
{
    return dlw_clone_call(CLONE_VM | CLONE_VFORK, stack + DLW_HELPER_STACK, function, launch);
}

BORROWED static void be_intermediate(void *argument)
{
    struct dlw_helper_launch *launch = argument;
    long pid = split(launch->stacks[1], become_command, launch);

    if (pid < 0)
        launch->error = (int)pid;
    else
        launch->pid = (int)pid;
    leave(0);
}

int dlw_helper_start(struct dlw_helper_launch *launch)
{
    launch->pid = 0;
    launch->error = 0;
    long pid = split(launch->stacks[0], be_intermediate, launch);
    if (pid < 0) {
        launch->error = (int)pid;
        return 0;
    }
    while (dlw_syscall(SYS_wait4, pid, 0, __WALL, 0) == -EINTR)
        ;
    return launch->pid != 0 && launch->error == 0;
}
