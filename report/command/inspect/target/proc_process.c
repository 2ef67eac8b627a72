/* The process as a whole: mappings, program, arguments. */
#include "report/command/inspect/target/proc.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static FILE *open_file(struct dlw_target *target, uint32_t tid, const char *name)
{
    char path[96];
    snprintf(path, sizeof path, "/proc/%u/task/%u/%s", target->pid, tid, name);
    return fopen(path, "re");
}

bool dlw_proc_parse_mapping(const char *line, struct dlw_mapping *out, int *path)
{
    char permissions[8];
    unsigned major, minor;
    *out = (struct dlw_mapping){0};
    *path = 0;
    if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %7s %" SCNx64 " %x:%x %" SCNu64 " %n", &out->start,
               &out->end, permissions, &out->offset, &major, &minor, &out->inode, path) < 7)
        return false;
    out->device = (uint64_t)major << 32 | minor;
    out->is_executable = permissions[2] == 'x';
    out->is_shared = permissions[3] == 's';
    return true;
}

static void add_mapping(struct dlw_target *target, const char *line)
{
    struct dlw_mapping mapping;
    int path;
    if (!dlw_proc_parse_mapping(line, &mapping, &path))
        return;
    if (path && line[path])
        mapping.path = dlw_region_cut(target->region, line + path, strcspn(line + path, "\n"));
    target->mappings =
        dlw_region_grow(target->region, target->mappings, target->n_mappings, sizeof mapping);
    target->mappings[target->n_mappings++] = mapping;
}

bool dlw_proc_mappings(struct dlw_target *target, uint32_t tid)
{
    FILE *file = open_file(target, tid, "maps");
    char *line = NULL;
    size_t room = 0;
    if (!file)
        return false;
    while (getline(&line, &room, file) > 0)
        add_mapping(target, line);
    free(line);
    fclose(file);
    return target->n_mappings > 0;
}

static void read_arguments(struct dlw_target *target, uint32_t tid)
{
    FILE *file = open_file(target, tid, "cmdline");
    char *argument = NULL;
    size_t room = 0;
    if (!file)
        return;
    while (getdelim(&argument, &room, '\0', file) > 0) {
        target->argv =
            dlw_region_grow(target->region, target->argv, target->argc, sizeof *target->argv);
        target->argv[target->argc++] = dlw_region_copy(target->region, argument);
    }
    free(argument);
    fclose(file);
}

static void read_exe(struct dlw_target *target, uint32_t tid)
{
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/%u/task/%u/exe", target->pid, tid);
    ssize_t n = readlink(link, path, sizeof path - 1);
    if (n <= 0)
        return;
    path[n] = '\0';
    char *deleted = strstr(path, " (deleted)");
    if (deleted && !deleted[10])
        *deleted = '\0';
    target->exe = dlw_region_copy(target->region, path);
}

static void read_signals(struct dlw_target *target, uint32_t tid)
{
    const char *caught = dlw_proc_status(target, tid, "SigCgt");
    if (!caught)
        return;
    target->caught_signals = strtoull(caught, NULL, 16);
    target->signals_known = true;
}

/* Field 22 of stat: ticks after boot. */
static void read_start(struct dlw_target *target)
{
    char path[64], text[2048];
    snprintf(path, sizeof path, "/proc/%u/stat", target->pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return;
    size_t n = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[n] = '\0';
    const char *at = strrchr(text, ')');
    for (int field = 2; at && field < 22; field++)
        at = strchr(at + 1, ' ');
    target->start_ticks = at ? strtoull(at, NULL, 10) : 0;
    file = fopen("/proc/stat", "re");
    if (!at || !file) {
        if (file)
            fclose(file);
        return;
    }
    char *line = NULL;
    size_t room = 0;
    while (getline(&line, &room, file) > 0)
        if (!strncmp(line, "btime ", 6))
            target->start =
                strtod(line + 6, NULL) + strtod(at, NULL) / (double)sysconf(_SC_CLK_TCK);
    free(line);
    fclose(file);
}

void dlw_proc_describe(struct dlw_target *target, uint32_t tid)
{
    read_exe(target, tid);
    read_arguments(target, tid);
    read_signals(target, tid);
    read_start(target);
}
