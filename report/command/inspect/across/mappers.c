#include "report/command/inspect/across/mappers.h"

#include "report/command/inspect/target/proc.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum answer { NO, YES, CLOSED };

/* A process that has ended meanwhile, or a kernel thread, has no memory. */
static enum answer maps(uint32_t pid, const struct dlw_mapping *memory)
{
    char path[64], *line = NULL;
    size_t room = 0;
    enum answer answer = NO;
    snprintf(path, sizeof path, "/proc/%u/maps", pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return dlw_proc_inner(pid, pid) ? CLOSED : NO;
    while (answer == NO && getline(&line, &room, file) > 0) {
        struct dlw_mapping mapping;
        int name;
        if (dlw_proc_parse_mapping(line, &mapping, &name) && mapping.is_shared &&
            mapping.inode == memory->inode && mapping.device == memory->device)
            answer = YES;
    }
    free(line);
    fclose(file);
    return answer;
}

static bool is_numbered_apart(uint32_t pid)
{
    char path[64], ours[64], theirs[64];
    snprintf(path, sizeof path, "/proc/%u/ns/pid", pid);
    ssize_t a = readlink("/proc/self/ns/pid", ours, sizeof ours);
    ssize_t b = readlink(path, theirs, sizeof theirs);
    return a <= 0 || a != b || memcmp(ours, theirs, (size_t)a) != 0;
}

/* Mounted with hidepid, or of another namespace than ours. */
static bool is_hidden(void)
{
    char text[32] = "";
    if (access("/proc/1/stat", R_OK) || readlink("/proc/self", text, sizeof text - 1) <= 0)
        return true;
    return strtol(text, NULL, 10) != (long)getpid();
}

/* The flags of stat: has it not started another program since it was forked? */
static bool is_copy_of_parent(uint32_t pid, uint32_t *parent)
{
    enum { FORKED_NO_EXEC = 0x40 };
    char path[64], text[1024];
    unsigned above, flags;
    snprintf(path, sizeof path, "/proc/%u/stat", pid);
    FILE *file = fopen(path, "re");
    size_t n = file ? fread(text, 1, sizeof text - 1, file) : 0;
    if (file)
        fclose(file);
    text[n] = '\0';
    const char *after = strrchr(text, ')');
    if (!after || sscanf(after + 1, " %*c %u %*d %*d %*d %*d %u", &above, &flags) != 2)
        return true;
    if (parent)
        *parent = above;
    return flags & FORKED_NO_EXEC;
}

/* Memory without a file reaches others only by fork, and no further than to their next program. */
static bool is_only_inherited(const struct dlw_mapping *memory)
{
    return memory->path && !strcmp(memory->path, "/dev/zero (deleted)");
}

static bool is_mapper(const struct dlw_mappers *mappers, uint32_t pid)
{
    for (size_t i = 0; i < mappers->n; i++)
        if (mappers->list[i].pid == pid)
            return true;
    return false;
}

/* Does the line of parents lead from each of them through others to one that made the memory
 * itself? Then all that have it besides are copies. */
static bool is_root_known(const struct dlw_mappers *mappers)
{
    for (size_t i = 0; i < mappers->n; i++) {
        uint32_t parent = 0;
        if (is_copy_of_parent(mappers->list[i].pid, &parent) && !is_mapper(mappers, parent))
            return false;
    }
    return mappers->n > 0;
}

void dlw_mappers_find(struct dlw_target *target, const struct dlw_mapping *memory,
                      struct dlw_mappers *out)
{
    DIR *folder = opendir("/proc");
    uint32_t *closed = NULL;
    size_t n_closed = 0;
    *out = (struct dlw_mappers){.is_hidden = !folder || is_hidden()};
    for (const struct dirent *entry; folder && (entry = readdir(folder)) != NULL;) {
        uint32_t pid = (uint32_t)strtoul(entry->d_name, NULL, 10);
        enum answer answer = isdigit((unsigned char)*entry->d_name) ? maps(pid, memory) : NO;
        if (answer == CLOSED) {
            closed = dlw_region_grow(target->region, closed, n_closed, sizeof *closed);
            closed[n_closed++] = pid;
        } else if (answer == YES) {
            out->list = dlw_region_grow(target->region, out->list, out->n, sizeof *out->list);
            out->list[out->n++] = (struct dlw_mapper){pid, is_numbered_apart(pid)};
        }
    }
    if (folder)
        closedir(folder);
    bool is_inherited = is_only_inherited(memory) && is_root_known(out);
    for (size_t i = 0; i < n_closed; i++)
        out->n_closed += !is_inherited || is_copy_of_parent(closed[i], NULL);
}

static bool has_thread(struct dlw_target *target, uint32_t pid, uint32_t inner)
{
    struct dlw_target other = {.region = target->region, .pid = pid};
    uint32_t *list;
    size_t n = dlw_proc_list(&other, &list);
    for (size_t i = 0; i < n; i++)
        if (dlw_proc_inner(pid, list[i]) == inner)
            return true;
    return false;
}

const struct dlw_mapper *dlw_mappers_thread(struct dlw_target *target,
                                            const struct dlw_mappers *mappers, uint32_t inner)
{
    for (size_t i = 0; i < mappers->n; i++)
        if (has_thread(target, mappers->list[i].pid, inner))
            return &mappers->list[i];
    return NULL;
}
