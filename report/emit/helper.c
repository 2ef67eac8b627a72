#include "report/emit/helper.h"

#include "graph/base/arena.h"
#include "graph/base/sys.h"
#include "report/emit/fd.h"
#include "report/emit/helper_child.h"
#include "report/emit/line.h"
#include "report/emit/unnoticed.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { KERNEL_SIGSET_BYTES = 8, MOST_RUNNING = 64, MOST_ARGUMENTS = 32, POLL_MS = 5 };

static char command[PATH_MAX];                         /* absolute; empty: none was found */
static struct dlw_fd_identity command_then, root_then; /* of the command and of /, at start */
static _Atomic bool is_confined;

/* Those that may still run, each as pid << 32 | low half of its start time: a pid alone may have
 * become somebody else. 0: free. */
static _Atomic uint64_t running[MOST_RUNNING];
static _Atomic uint64_t newest; /* of them: who comes next prints after it */
static _Atomic uint32_t owner;  /* the process that started them: a forked child has none */

/* ---- the command ---- */

static bool identify(const char *path, struct dlw_fd_identity *out)
{
    struct stat status;

    memset(out, 0, sizeof *out);
    if (dlw_syscall(SYS_newfstatat, AT_FDCWD, path, &status, 0) != 0)
        return false;
    out->device = status.st_dev;
    out->inode = status.st_ino;
    out->type = status.st_mode & S_IFMT;
    return true;
}

static bool is_still(const char *path, const struct dlw_fd_identity *then)
{
    struct dlw_fd_identity now;

    return identify(path, &now) && now.device == then->device && now.inode == then->inode;
}

static bool is_program(const char *path)
{
    return identify(path, &command_then) && command_then.type == S_IFREG &&
           dlw_syscall(SYS_faccessat, AT_FDCWD, path, X_OK) == 0;
}

bool dlw_helper_find(const char *library_path, const char *start_folder)
{
    static const char *const places[] = {"/dlwatch", "/../bin/dlwatch", "/../../bin/dlwatch"};
    const char *slash = library_path ? strrchr(library_path, '/') : NULL;
    bool is_relative = slash && library_path[0] != '/';

    if (is_relative && start_folder[0] != '/')
        slash = NULL; /* the folder at start is not known */
    identify("/", &root_then);
    for (size_t i = 0; slash && i < sizeof places / sizeof places[0]; i++) {
        struct dlw_line line = {command, 0, sizeof command - 1};
        if (is_relative) {
            dlw_line_add(&line, start_folder);
            dlw_line_add(&line, "/");
        }
        dlw_line_add_bytes(&line, library_path, (size_t)(slash - library_path));
        dlw_line_add(&line, places[i]);
        if (line.used < line.room && is_program(command))
            return true;
    }
    command[0] = '\0';
    return false;
}

/* After chroot, or under other mounts, its path may name somebody else's program. */
static bool is_still_there(void)
{
    return is_still("/", &root_then) && is_still(command, &command_then);
}

void dlw_helper_confine(void)
{
    atomic_store_explicit(&is_confined, true, memory_order_relaxed);
}

bool dlw_helper_is_possible(void)
{
    return command[0] && !atomic_load_explicit(&is_confined, memory_order_relaxed) &&
           dlw_unnoticed_is_possible() && is_still_there();
}

/* ---- who still runs ---- */

/* The text behind the `n`th space after the name in parentheses, which may hold anything. */
static const char *stat_field(const char *text, unsigned n)
{
    const char *at = strrchr(text, ')');

    while (at && n--)
        at = strchr(at + 1, ' ');
    return at ? at + 1 : NULL;
}

/* When the process began (clock ticks, low half, never 0); 0: it is gone, or a zombie. */
static uint32_t start_time(uint32_t pid)
{
    char text[512];
    char path[64];
    struct dlw_line line = DLW_LINE(path);
    uint64_t ticks = 0;

    dlw_line_add(&line, "/proc/");
    dlw_line_add_number(&line, pid);
    dlw_line_add(&line, "/stat");
    dlw_fd_read_text(path, text, sizeof text);
    const char *state = stat_field(text, 1);
    const char *start = stat_field(text, 20);
    if (!state || !start || *state == 'Z' || *state == 'X')
        return 0;
    for (; *start >= '0' && *start <= '9'; start++)
        ticks = ticks * 10 + (uint64_t)(*start - '0');
    return (uint32_t)ticks | 1;
}

/* ---- the environment ---- */

enum { ENVIRONMENT_BYTES = 1024 * 1024, MOST_VARIABLES = 16 * 1024 };

/* All that a start needs, mapped for as long as it lasts: the caller's stack may be small. */
struct start {
    struct dlw_helper_launch launch;
    const char *arguments[MOST_ARGUMENTS];
    char after[40];
    const char *variables[MOST_VARIABLES + 1];
    char text[ENVIRONMENT_BYTES + 1];
};

static bool starts_with(const char *text, const char *beginning)
{
    return strncmp(text, beginning, strlen(beginning)) == 0;
}

/* The loader's variables are meant for the watched program (its preloads, its own old libraries);
 * a lookup of debug files in the network would keep its end waiting. */
static bool is_kept(const char *variable)
{
    return strchr(variable, '=') && !starts_with(variable, "LD_") &&
           !starts_with(variable, "DLWATCH_OPTIONS=") && !starts_with(variable, "DEBUGINFOD_URLS=");
}

/* From the kernel's copy: the program may be changing its own at this moment. */
static void fill_environment(struct start *start)
{
    size_t size = dlw_fd_read_text("/proc/self/environ", start->text, sizeof start->text);
    size_t n = 0;

    for (char *at = start->text; at < start->text + size && n < MOST_VARIABLES;
         at += strlen(at) + 1)
        if (is_kept(at))
            start->variables[n++] = at;
    start->variables[n] = NULL;
}

/* ---- starting ---- */

static bool launch_quietly(struct dlw_helper_launch *launch)
{
    uint64_t all = ~UINT64_C(0);
    uint64_t before = 0;

    dlw_syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, KERNEL_SIGSET_BYTES);
    bool is_started = dlw_helper_start(launch);
    dlw_syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, KERNEL_SIGSET_BYTES);
    return is_started;
}

static void forget_parents(void)
{
    uint32_t self = (uint32_t)dlw_syscall(SYS_getpid);

    if (atomic_exchange_explicit(&owner, self, memory_order_relaxed) == self)
        return;
    atomic_store_explicit(&newest, 0, memory_order_relaxed);
    for (size_t i = 0; i < MOST_RUNNING; i++)
        atomic_store_explicit(&running[i], 0, memory_order_relaxed);
}

static bool still_runs(uint64_t entry)
{
    return start_time((uint32_t)(entry >> 32)) == (uint32_t)entry;
}

/* One that finds no free place is not waited for. */
static void remember(uint32_t pid)
{
    uint32_t start = start_time(pid);

    atomic_store_explicit(&newest, start ? (uint64_t)pid << 32 | start : 0, memory_order_relaxed);
    for (size_t i = 0; start && i < MOST_RUNNING; i++) {
        uint64_t seen = atomic_load_explicit(&running[i], memory_order_relaxed);
        if ((seen == 0 || !still_runs(seen)) &&
            atomic_compare_exchange_strong_explicit(&running[i], &seen, (uint64_t)pid << 32 | start,
                                                    memory_order_relaxed, memory_order_relaxed))
            return;
    }
}

/* False: more than there is room for. */
static bool fill_arguments(struct start *start, const char *const *extra)
{
    const char **out = start->arguments;
    struct dlw_line after = DLW_LINE(start->after);
    size_t n = 0;

    dlw_line_add(&after, "--after=");
    dlw_line_add_number(&after, atomic_load_explicit(&newest, memory_order_relaxed));

    out[n++] = command;
    out[n++] = "report";
    out[n++] = "--format=text";
    out[n++] = "--live";
    out[n++] = start->after;
    for (; extra && *extra; extra++) {
        if (n + 2 >= MOST_ARGUMENTS)
            return false;
        out[n++] = *extra;
    }
    out[n++] = "-";
    out[n] = NULL;
    return true;
}

static bool launch_command(struct start *start, int journal, int output, const char *const *extra)
{
    struct dlw_helper_launch *launch = &start->launch;

    forget_parents();
    if (!fill_arguments(start, extra))
        return false;
    fill_environment(start);
    launch->command = command;
    launch->arguments = start->arguments;
    launch->environment = start->variables;
    launch->input = journal;
    launch->output = output;
    if (!launch_quietly(launch))
        return false;
    remember((uint32_t)launch->pid);
    return true;
}

bool dlw_helper_print(int journal, int output, const char *const *extra_arguments)
{
    struct start *start = dlw_helper_is_possible() ? dlw_pages_map(sizeof *start) : NULL;

    if (!start)
        return false;
    bool is_started = launch_command(start, journal, output, extra_arguments);
    dlw_pages_unmap(start, sizeof *start);
    return is_started;
}

/* ---- waiting ---- */

static int64_t now_ms(void)
{
    struct timespec now = {0, 0};

    dlw_syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static struct timespec milliseconds_of(int64_t ms)
{
    return (struct timespec){ms / 1000, ms % 1000 * 1000000};
}

/* Sleeps until the process ends or the time is over. With the descriptor in hand the pid can't
 * become somebody else, so one look at the start time afterwards settles whose it is. */
static void sleep_until_end(uint64_t entry, int64_t left_ms)
{
    struct pollfd poll_entry = {(int)dlw_syscall(SYS_pidfd_open, (uint32_t)(entry >> 32), 0),
                                POLLIN, 0};
    struct timespec left = milliseconds_of(left_ms);
    struct timespec pause = milliseconds_of(left_ms < POLL_MS ? left_ms : POLL_MS);

    if (poll_entry.fd < 0) {
        dlw_syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &pause, NULL);
        return;
    }
    if (still_runs(entry))
        dlw_syscall(SYS_ppoll, &poll_entry, 1, &left, NULL, KERNEL_SIGSET_BYTES);
    dlw_fd_close(poll_entry.fd);
}

/* False: it still ran when the time came. */
static bool wait_until(uint64_t entry, int64_t end)
{
    while (entry && still_runs(entry)) {
        int64_t left = end - now_ms();
        if (left <= 0)
            return false;
        sleep_until_end(entry, left);
    }
    return true;
}

void dlw_helper_wait_for(uint64_t helper, int milliseconds)
{
    wait_until(helper, now_ms() + milliseconds);
}

void dlw_helper_wait(int milliseconds)
{
    int64_t end = now_ms() + milliseconds;

    forget_parents();
    for (size_t i = 0; i < MOST_RUNNING; i++) {
        uint64_t entry = atomic_load_explicit(&running[i], memory_order_relaxed);
        if (!wait_until(entry, end))
            return;
        atomic_store_explicit(&running[i], 0, memory_order_relaxed);
    }
}
