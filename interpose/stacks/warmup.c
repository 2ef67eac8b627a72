#include "interpose/stacks/warmup.h"

#include "graph/base/sys.h"

#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>

/* The numbers that the next two descriptors will have. */
static bool next_two(long *first, long *second)
{
    *first = dlw_syscall(SYS_openat, AT_FDCWD, "/", O_PATH | O_CLOEXEC, 0);
    *second = dlw_syscall(SYS_openat, AT_FDCWD, "/", O_PATH | O_CLOEXEC, 0);
    if (*first >= 0)
        dlw_syscall(SYS_close, *first);
    if (*second >= 0)
        dlw_syscall(SYS_close, *second);
    return *first >= 0 && *second >= 0;
}

static bool is_one_pipe(long a, long b)
{
    struct stat of_a;
    struct stat of_b;

    return dlw_syscall(SYS_newfstatat, a, "", &of_a, AT_EMPTY_PATH) == 0 &&
           dlw_syscall(SYS_newfstatat, b, "", &of_b, AT_EMPTY_PATH) == 0 &&
           S_ISFIFO(of_a.st_mode) && of_a.st_dev == of_b.st_dev && of_a.st_ino == of_b.st_ino;
}

void dlw_warmup(void (*first_step)(void))
{
    long first;
    long second;
    bool are_known = next_two(&first, &second);

    first_step();
    if (!are_known || !is_one_pipe(first, second))
        return;
    dlw_syscall(SYS_close, first);
    dlw_syscall(SYS_close, second);
}
