#include "report/command/inspect/named.h"

#include "report/command/base/clean.h"
#include "report/command/base/proc_text.h"

#include <ctype.h>
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { COMM = 15, SHOWN = 200 };

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static bool runs_it(const char *pid, const char *name)
{
    char path[300], exe[4096];
    snprintf(path, sizeof(path), "/proc/%s/exe", pid);
    ssize_t n = readlink(path, exe, sizeof(exe) - 1);
    exe[n > 0 ? n : 0] = '\0';
    char *deleted = strstr(exe, " (deleted)");
    if (deleted)
        *deleted = '\0';
    return strcmp(base_name(exe), name) == 0;
}

static bool calls_itself(const char *pid, const char *name)
{
    char comm[64];
    dlw_proc_text(comm, sizeof(comm), "/proc/%s/comm", pid);
    comm[strcspn(comm, "\n")] = '\0';
    return strcmp(comm, name) == 0 || (strlen(comm) == COMM && strncmp(comm, name, COMM) == 0);
}

/* One without words has ended, or is the kernel's. */
static bool is_named(const char *pid, const char *name, char *words, size_t room)
{
    ssize_t n = dlw_proc_text(words, room, "/proc/%s/cmdline", pid);
    if (n <= 0)
        return false;
    bool result =
        strcmp(base_name(words), name) == 0 || calls_itself(pid, name) || runs_it(pid, name);
    for (ssize_t i = 0; i + 1 < n; i++)
        words[i] = words[i] ? words[i] : ' ';
    return result;
}

static int by_number(const void *a, const void *b)
{
    const struct dlw_named *x = a, *y = b;
    return (x->pid > y->pid) - (x->pid < y->pid);
}

size_t dlw_named_find(struct dlw_region *region, const char *name, struct dlw_named **out)
{
    DIR *proc = opendir("/proc");
    char words[4096];
    size_t n = 0;
    *out = NULL;
    for (struct dirent *entry; proc && (entry = readdir(proc));) {
        unsigned long pid =
            isdigit((unsigned char)*entry->d_name) ? strtoul(entry->d_name, NULL, 10) : 0;
        if (!pid || pid == (unsigned long)getpid() ||
            !is_named(entry->d_name, name, words, sizeof(words)))
            continue;
        words[SHOWN] = '\0';
        *out = dlw_region_grow(region, *out, n, sizeof(**out));
        (*out)[n++] = (struct dlw_named){(uint32_t)pid, dlw_clean(region, words)};
    }
    if (proc)
        closedir(proc);
    if (n)
        qsort(*out, n, sizeof(**out), by_number);
    return n;
}
