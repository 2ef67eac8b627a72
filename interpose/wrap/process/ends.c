/*
 * How the process ends.
 *
 * exit() and the return from main reach us as the last of their handlers, since ours was the first
 * to be registered: behind all destructors, in front of stdio's last flush. Another status is set
 * by calling libc's exit() again from there, which goes on where the first call was. So stdio is
 * flushed as it always is at the end: without waiting for a FILE that a thread reads from.
 *
 * An end inside libc that passes no handler and no name (a failed assert, a signal) can't be seen
 * from here. `run` sees how its children ended; a journal alone then has no last line.
 */
#include "interpose/wrap/process/ends.h"

#include "graph/base/sys.h"
#include "interpose/base/real.h"
#include "interpose/base/state.h"
#include "interpose/tell/reporter.h"
#include "interpose/threads/record.h"
#include "interpose/wrap/process/exec.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* A vfork child and one made by an unseen system call are none of ours. Nothing is asked of the
 * kernel in a process that confined itself. */
static bool is_own_process(void)
{
    return (dlw_has_started || dlw_tells_starts) &&
           !atomic_load_explicit(&dlw_confined, memory_order_relaxed) &&
           (uint32_t)dlw_syscall(SYS_getpid) == dlw_pid();
}

/* May this thread take internal locks? Not in a signal handler that interrupted the library itself.
 * A thread without a record may be coming or going, which takes them too. */
static bool is_free(const struct dlw_thread *self)
{
    return !(dlw_thread_guard(self) & ~(uint32_t)(DLW_GUARD_WAITING | DLW_GUARD_OFF)) &&
           (self != &dlw_nobody || !atomic_load_explicit(&dlw_is_on, memory_order_relaxed));
}

static void tell(void (*end)(const char *ended, int status), const char *ended, int status)
{
    struct dlw_thread *self = dlw_thread_self();

    if (dlw_tells_starts) {
        dlw_exec_end(ended, status);
        return;
    }
    if (!is_free(self))
        return;
    dlw_guard_enter(self);
    dlw_exec_collect();
    end(ended, status);
    dlw_guard_leave(self);
}

int dlw_process_ends(int status)
{
    if (!is_own_process())
        return status;
    if (dlw_options.exitcode && dlw_report_found_errors())
        status = (int)dlw_options.exitcode;
    tell(dlw_report_end, "exit", status & 0xff);
    return status;
}

/* ---- exit ---- */

static void at_end(int status, void *unused)
{
    int wanted = dlw_process_ends(status);

    (void)unused;
    if (wanted != status && dlw_libc.exit)
        dlw_libc.exit(wanted);
}

DLW_EXPORT void _exit(int status)
{
    dlw_thread_self();
    real._exit(dlw_process_ends(status));
    __builtin_unreachable();
}

DLW_EXPORT void _Exit(int status)
{
    dlw_thread_self();
    real._Exit(dlw_process_ends(status));
    __builtin_unreachable();
}

/* ---- quick_exit ---- */

static _Atomic int quick_status;

/* The last of its handlers, as above; they are not told the status. */
static void at_quick_end(void)
{
    int status = atomic_load_explicit(&quick_status, memory_order_relaxed);
    int wanted = dlw_process_ends(status);

    if (wanted != status)
        real._exit(wanted);
}

DLW_EXPORT void quick_exit(int status)
{
    dlw_thread_self();
    atomic_store_explicit(&quick_status, status, memory_order_relaxed);
    real.quick_exit(status);
    __builtin_unreachable();
}

/* ---- ends that may not come ---- */

/* The program may catch the signal and go on. */
DLW_EXPORT void abort(void)
{
    dlw_thread_self();
    if (is_own_process())
        tell(dlw_report_may_end, "abort", -1);
    real.abort();
    __builtin_unreachable();
}

static __thread bool becomes_daemon;

/* In daemon() the parent's last act is its fork: libc ends it without a name. Should the fork have
 * failed, it goes on, and ends another time. */
static void in_parent(void)
{
    if (becomes_daemon && is_own_process())
        tell(dlw_report_may_end, "exit", 0);
}

static void in_child(void)
{
    becomes_daemon = false;
}

static bool is_null_device(int fd)
{
    enum { MEMORY_DEVICES = 1, NULL_DEVICE = 3 };
    struct stat status;

    return fstat(fd, &status) == 0 && S_ISCHR(status.st_mode) &&
           status.st_rdev == makedev(MEMORY_DEVICES, NULL_DEVICE);
}

static int to_null_device(void)
{
    int fd = open("/dev/null", O_RDWR);

    if (fd < 0)
        return -1;
    if (!is_null_device(fd)) {
        close(fd);
        errno = ENODEV;
        return -1;
    }
    for (int i = STDIN_FILENO; i <= STDERR_FILENO; i++)
        dup2(fd, i);
    if (fd > STDERR_FILENO)
        close(fd);
    return 0;
}

/* daemon(3), where the parent ends with a status of ours. */
static int daemon_by_hand(int stays, int keeps_descriptors)
{
    pid_t pid = fork();

    if (pid < 0)
        return -1;
    if (pid > 0)
        _exit(0); /* the wrapper above */
    if (setsid() < 0)
        return -1;
    if (!stays) {
        int ignored = chdir("/"); /* as by libc */
        (void)ignored;
    }
    return keeps_descriptors ? 0 : to_null_device();
}

DLW_EXPORT int daemon(int stays, int keeps_descriptors)
{
    dlw_thread_self();
    if (dlw_options.exitcode && dlw_report_found_errors() && is_own_process())
        return daemon_by_hand(stays, keeps_descriptors);
    becomes_daemon = true;
    int result = real.daemon(stays, keeps_descriptors);
    becomes_daemon = false;
    return result;
}

void dlw_ends_start(void)
{
    on_exit(at_end, NULL);
    if (dlw_libc.register_atfork)
        dlw_libc.register_atfork(NULL, in_parent, in_child, NULL);
    if (at_quick_exit(at_quick_end) != 0)
        return; /* no memory: that end is not told */
}
