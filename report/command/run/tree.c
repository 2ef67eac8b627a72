/* The processes below this one, found by their parents in /proc. */
#include "report/command/run/run.h"

#include "report/command/base/proc_text.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct entry {
    pid_t pid, parent;
    bool is_ours;
};

/* False: it has gone, or is only waiting to be reaped: its first thread has ended, and no other is
 * left. */
static bool read_parent(pid_t pid, pid_t *parent)
{
    char text[1024], state;
    int number;
    long n_threads;
    if (dlw_proc_text(text, sizeof(text), "/proc/%d/stat", (int)pid) <= 0)
        return false;
    /* The name may hold anything, parentheses too. */
    const char *after = strrchr(text, ')');
    if (!after ||
        sscanf(after + 1, " %c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %ld",
               &state, &number, &n_threads) != 3)
        return false;
    *parent = number;
    return (state != 'Z' && state != 'X') || n_threads > 1;
}

static size_t read_processes(struct dlw_region *region, struct entry **out)
{
    struct entry *entries = NULL;
    size_t n = 0;
    DIR *folder = opendir("/proc");
    struct dirent *item;
    while (folder && (item = readdir(folder))) {
        struct entry entry = {.pid = atoi(item->d_name)};
        if (entry.pid <= 0 || !read_parent(entry.pid, &entry.parent))
            continue;
        entries = dlw_region_grow(region, entries, n, sizeof(*entries));
        entries[n++] = entry;
    }
    if (folder)
        closedir(folder);
    *out = entries;
    return n;
}

static bool is_below_one_of_ours(const struct entry *entries, size_t n, pid_t parent)
{
    if (parent == getpid())
        return true;
    for (size_t i = 0; i < n; i++)
        if (entries[i].is_ours && entries[i].pid == parent)
            return true;
    return false;
}

size_t dlw_tree_list(struct dlw_region *region, pid_t **out)
{
    struct entry *entries;
    size_t n = read_processes(region, &entries), found = 0;
    bool grows = true;
    *out = dlw_region_alloc(region, (n + 1) * sizeof(**out));
    while (grows) {
        grows = false;
        for (size_t i = 0; i < n; i++) {
            if (entries[i].is_ours || !is_below_one_of_ours(entries, n, entries[i].parent))
                continue;
            entries[i].is_ours = grows = true;
            (*out)[found++] = entries[i].pid;
        }
    }
    return found;
}

static size_t signal_all(int signal_number)
{
    struct dlw_region region = {0};
    pid_t *pids;
    size_t n = dlw_tree_list(&region, &pids);
    for (size_t i = 0; i < n; i++) {
        kill(pids[i], signal_number);
        /* A stopped process does not see SIGTERM. */
        if (signal_number == SIGTERM)
            kill(pids[i], SIGCONT);
    }
    dlw_region_free(&region);
    return n;
}

/* False: the command has not ended, or it is not known how. */
static bool reap(pid_t command, int *status)
{
    bool is_reaped = false;
    int how;
    pid_t pid;
    while ((pid = waitpid(-1, &how, WNOHANG)) > 0)
        if (pid == command) {
            *status = how;
            is_reaped = true;
        }
    return is_reaped || (pid < 0 && errno == ECHILD);
}

void dlw_tree_end(pid_t command, int *status)
{
    enum { PATIENCE = 200, PAUSE = 10 * 1000 * 1000 }; /* two seconds */
    struct timespec pause = {.tv_nsec = PAUSE};
    bool is_reaped = false;
    signal_all(SIGTERM);
    for (int i = 0; i < 10 * PATIENCE; i++) {
        is_reaped = reap(command, status) || is_reaped;
        /* New ones may have been made meanwhile. */
        size_t left = i < PATIENCE ? signal_all(0) : signal_all(SIGKILL);
        if (!left && is_reaped)
            break;
        nanosleep(&pause, NULL);
    }
}
