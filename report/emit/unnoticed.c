#include "report/emit/unnoticed.h"

#include "graph/base/sys.h"
#include "report/emit/fd.h"
#include "report/emit/line.h"

#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

enum { ROOM = 16 }; /* processes that must fit under a limit beside ours */

/* ---- whose child it becomes ---- */

static bool adopts_orphans(void)
{
    int is_subreaper = 0;

    return dlw_syscall(SYS_getpid) == 1 ||
           dlw_syscall(SYS_prctl, PR_GET_CHILD_SUBREAPER, &is_subreaper) < 0 || is_subreaper;
}

/* After unshare(CLONE_NEWPID) children live in another namespace than we do; before the first of
 * them the kernel shows none. */
static bool has_children_elsewhere(void)
{
    struct stat own, of_children;

    return dlw_syscall(SYS_newfstatat, AT_FDCWD, "/proc/thread-self/ns/pid", &own, 0) != 0 ||
           dlw_syscall(SYS_newfstatat, AT_FDCWD, "/proc/thread-self/ns/pid_for_children",
                       &of_children, 0) != 0 ||
           own.st_ino != of_children.st_ino;
}

/* ---- limits ---- */

static uint64_t number_at(const char *text)
{
    uint64_t value = 0;

    for (; *text >= '0' && *text <= '9'; text++)
        value = value * 10 + (uint64_t)(*text - '0');
    return value;
}

/* The threads of all users: the fourth word of loadavg, "running/all". */
static uint64_t all_threads(void)
{
    char text[128];

    dlw_fd_read_text("/proc/loadavg", text, sizeof text);
    const char *slash = strchr(text, '/');
    return slash ? number_at(slash + 1) : UINT64_MAX - ROOM;
}

/* How many the user has is not to be had; no more than there are. */
static bool is_near_user_limit(void)
{
    struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};

    dlw_syscall(SYS_prlimit64, 0, RLIMIT_NPROC, NULL, &limit);
    return limit.rlim_cur != RLIM_INFINITY && limit.rlim_cur < all_threads() + ROOM;
}

enum { PATH_BYTES = 512 }; /* the caller's stack may be small */

static uint64_t read_number(const struct dlw_line *folder, const char *name)
{
    char path[PATH_BYTES];
    char text[32];
    struct dlw_line line = DLW_LINE(path);

    dlw_line_add_bytes(&line, folder->text, folder->used);
    dlw_line_add(&line, name);
    if (!dlw_fd_read_text(path, text, sizeof text) || text[0] < '0' || text[0] > '9')
        return UINT64_MAX; /* "max", or no such limit */
    return number_at(text);
}

static bool is_near_limit_of(const struct dlw_line *folder)
{
    uint64_t most = read_number(folder, "/pids.max");

    return most != UINT64_MAX && read_number(folder, "/pids.current") + ROOM > most;
}

/* Of the group that this line of /proc/self/cgroup names, and of those above it. */
static bool is_near_limit_below(const char *mount, const char *group)
{
    char path[PATH_BYTES];
    struct dlw_line folder = DLW_LINE(path);

    dlw_line_add(&folder, mount);
    size_t top = folder.used;
    while (group && *group && *group != '\n')
        dlw_line_add_bytes(&folder, group++, 1);
    for (;;) {
        while (folder.text[folder.used - 1] == '/')
            folder.used--;
        if (is_near_limit_of(&folder))
            return true;
        while (folder.used > top && folder.text[folder.used - 1] != '/')
            folder.used--;
        if (folder.used <= top)
            return false;
    }
}

/* As control groups are usually mounted: of version 2, and of version 1. */
static bool is_near_group_limit(void)
{
    char text[1024];

    dlw_fd_read_text("/proc/self/cgroup", text, sizeof text);
    const char *unified = strstr(text, "0::/");
    const char *pids = strstr(text, ":pids:/");
    return is_near_limit_below("/sys/fs/cgroup", unified ? unified + 3 : NULL) ||
           (pids && is_near_limit_below("/sys/fs/cgroup/pids", pids + 6));
}

bool dlw_unnoticed_is_possible(void)
{
    return !adopts_orphans() && dlw_syscall(SYS_prctl, PR_GET_SECCOMP, 0, 0, 0) == 0 &&
           !has_children_elsewhere() && !is_near_user_limit() && !is_near_group_limit();
}
