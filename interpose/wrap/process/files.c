/*
 * Locks of files. Who waits for one is seen from outside (report/command/inspect/across): what is
 * seen here is the kernel's own answer. Where waiting would close a circle of processes that wait
 * for locks of fcntl(), it refuses: EDEADLK (fcntl(2)). The program is told so, and maybe passes it
 * over in silence; so it is a note. lockf() is libc's call of the same, inside of it.
 */
#include "graph/base/sys.h"
#include "interpose/base/real.h"
#include "interpose/base/state.h"
#include "interpose/tell/reporter.h"
#include "interpose/threads/record.h"
#include "report/emit/line.h"
#include "report/emit/say.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>

/* What the kernel is given: a pointer or a number, or what lay there where none was passed. A
 * library may call this in its constructor, before ours. */
#define TAKE_ARGUMENT(command, out)                                                                \
    do {                                                                                           \
        va_list list;                                                                              \
        va_start(list, command);                                                                   \
        (out) = va_arg(list, void *);                                                              \
        va_end(list);                                                                              \
        dlw_real_resolve();                                                                        \
    } while (0)

/* Once: it comes again and again where it comes. errno is as it was. */
static DLW_COLD void is_refused(int fd)
{
    static _Atomic bool is_told;
    struct dlw_thread *self = dlw_thread_self();
    char path[512] = "", link[64], number[24];
    struct dlw_line name = DLW_LINE(link);

    if (dlw_thread_passes(self) ||
        atomic_exchange_explicit(&is_told, true, memory_order_relaxed)) /* guards nothing else */
        return;
    dlw_guard_enter(self);
    dlw_line_add(&name, "/proc/self/fd/");
    dlw_line_add(&name, dlw_say_number(number, (uint64_t)fd));
    if (atomic_load_explicit(&dlw_confined, memory_order_relaxed) ||
        dlw_syscall(SYS_readlinkat, AT_FDCWD, link, path, sizeof(path) - 1) <= 0)
        path[0] = 0;
    dlw_report_note("the kernel refused a wait for a lock of the file ",
                    path[0] ? path : "(unknown)",
                    " (fcntl, EDEADLK): with it processes would have waited for each other in a "
                    "circle",
                    NULL);
    dlw_guard_leave(self);
}

static int answer(int fd, int result)
{
    if (__builtin_expect(result < 0, 0) && errno == EDEADLK) {
        is_refused(fd);
        errno = EDEADLK;
    }
    return result;
}

DLW_EXPORT int fcntl(int fd, int command, ...)
{
    void *argument;

    TAKE_ARGUMENT(command, argument);
    return answer(fd, real.fcntl(fd, command, argument));
}

DLW_EXPORT int lockf(int fd, int command, off_t length)
{
    dlw_real_resolve();
    return answer(fd, real.lockf(fd, command, length));
}

DLW_EXPORT int lockf64(int fd, int command, off64_t length)
{
    dlw_real_resolve();
    return answer(fd, real.lockf64(fd, command, length));
}

DLW_EXPORT int fcntl64(int fd, int command, ...)
{
    void *argument;

    TAKE_ARGUMENT(command, argument);
    return answer(fd, real.fcntl64(fd, command, argument));
}
