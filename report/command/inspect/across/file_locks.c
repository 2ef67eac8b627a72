#include "report/command/inspect/across/file_locks.h"

#include "report/command/inspect/across/asleep.h"
#include "report/command/inspect/across/kin.h"
#include "report/command/inspect/across/visible.h"
#include "report/command/inspect/target/proc.h"
#include "report/command/inspect/target/registers.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

bool dlw_file_lock_parse(const char *line, struct dlw_file_lock *out)
{
    char mode[8], end[24];
    unsigned major, minor;
    *out = (struct dlw_file_lock){0};
    if (sscanf(line, " %*d: %7s %*s %7s %" SCNd64 " %x:%x:%" SCNu64 " %" SCNu64 " %23s", out->type,
               mode, &out->owner, &major, &minor, &out->inode, &out->start, end) != 8)
        return false;
    out->is_write = strcmp(mode, "WRITE") == 0;
    out->device = (uint64_t)major << 32 | minor;
    out->end = strcmp(end, "EOF") == 0 ? UINT64_MAX : strtoull(end, NULL, 10);
    return !strcmp(out->type, "FLOCK") || !strcmp(out->type, "POSIX") ||
           !strcmp(out->type, "OFDLCK");
}

bool dlw_file_locks_conflict(const struct dlw_file_lock *a, const struct dlw_file_lock *b)
{
    bool is_whole = strcmp(a->type, "FLOCK") == 0;
    return is_whole == (strcmp(b->type, "FLOCK") == 0) && a->device == b->device &&
           a->inode == b->inode && (a->is_write || b->is_write) && a->start <= b->end &&
           b->start <= a->end;
}

/* ---- what is asked for ---- */

/* A field of fdinfo as a number; false: not there. */
static bool field(const char *text, const char *name, uint64_t *out)
{
    const char *at = strstr(text, name);
    if (!at || (at != text && at[-1] != '\n'))
        return false;
    *out = strtoull(at + strlen(name), NULL, 10);
    return true;
}

static size_t read_info(uint32_t pid, int descriptor, char *out, size_t room)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%u/fdinfo/%d", pid, descriptor);
    FILE *file = fopen(path, "re");
    size_t n = file ? fread(out, 1, room - 1, file) : 0;
    if (file)
        fclose(file);
    out[n] = '\0';
    return n;
}

/* The device of a mount: what locks are written with. To ask the file itself might block. */
static bool device_of_mount(uint32_t pid, uint64_t mount, uint64_t *out)
{
    char path[64], *line = NULL;
    size_t room = 0;
    bool is_found = false;
    snprintf(path, sizeof path, "/proc/%u/mountinfo", pid);
    FILE *file = fopen(path, "re");
    while (file && !is_found && getline(&line, &room, file) > 0) {
        uint64_t id;
        unsigned major = 0, minor = 0; /* decimal here, hexadecimal in locks */
        is_found = sscanf(line, "%" SCNu64 " %*u %u:%u", &id, &major, &minor) == 3 && id == mount;
        *out = (uint64_t)major << 32 | minor;
    }
    free(line);
    if (file)
        fclose(file);
    return is_found;
}

/* In another root than that of its mount the process does not see the mount: then what is known of
 * the file already, without asking a server for it. */
static bool device_of_file(uint32_t pid, int descriptor, uint64_t *out)
{
    char path[64];
    struct statx state;
    snprintf(path, sizeof path, "/proc/%u/fd/%d", pid, descriptor);
    if (statx(AT_FDCWD, path, AT_STATX_DONT_SYNC, STATX_INO, &state) != 0)
        return false;
    *out = (uint64_t)state.stx_dev_major << 32 | state.stx_dev_minor;
    return true;
}

/* struct flock of a 64-bit program. */
struct range {
    int16_t type, whence;
    int64_t start, length;
};

static bool read_range(struct dlw_target *target, uint64_t address, uint64_t position,
                       struct dlw_file_lock *out)
{
    struct range range;
    if (target->is_narrow || !dlw_target_read(target, address, &range, sizeof range))
        return false;
    if (range.whence == SEEK_CUR)
        range.start += (int64_t)position;
    /* Where the file ends is not asked: any part of it may be meant. */
    bool is_known = range.whence != SEEK_END;
    if (range.length < 0) {
        range.start += range.length;
        range.length = -range.length;
    }
    out->is_write = range.type == F_WRLCK;
    out->start = is_known ? (uint64_t)range.start : 0;
    out->end = is_known && range.length ? out->start + (uint64_t)range.length - 1 : UINT64_MAX;
    return range.type == F_WRLCK || range.type == F_RDLCK;
}

static bool read_kind(struct dlw_target *target, const struct dlw_call *call, uint64_t position,
                      struct dlw_file_lock *out)
{
    const char *name = dlw_syscall_name(target->machine, call->number);
    uint64_t how = call->arguments[1];
    if (name && !strcmp(name, "flock")) {
        snprintf(out->type, sizeof out->type, "FLOCK");
        out->is_write = how & LOCK_EX;
        out->end = UINT64_MAX;
        return true;
    }
    snprintf(out->type, sizeof out->type, "%s", how == F_OFD_SETLKW ? "OFDLCK" : "POSIX");
    return read_range(target, call->arguments[2], position, out);
}

static const char *path_of(struct dlw_target *target, int descriptor)
{
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/%u/fd/%d", target->pid, descriptor);
    ssize_t n = readlink(link, path, sizeof path - 1);
    return n > 0 ? dlw_region_cut(target->region, path, (size_t)n) : "?";
}

static bool read_request(struct dlw_target *target, const struct dlw_call *call,
                         struct dlw_file_lock *out)
{
    char info[4096];
    uint64_t mount, position = 0;
    int descriptor = (int)call->arguments[0];
    *out = (struct dlw_file_lock){0};
    if (!read_info(target->pid, descriptor, info, sizeof info) ||
        !field(info, "ino:", &out->inode) || !field(info, "mnt_id:", &mount))
        return false;
    if (!device_of_mount(target->pid, mount, &out->device) &&
        !device_of_file(target->pid, descriptor, &out->device))
        return false;
    field(info, "pos:", &position);
    return read_kind(target, call, position, out);
}

/* ---- who has it ---- */

/* Locks that read the same may be one that several processes have; none is told apart wrongly by
 * taking them for one, since then all of them must let go. */
struct group {
    struct dlw_file_lock lock;
    struct dlw_file_holder *holders;
    size_t n;
    bool is_own; /* the asker has it: it is not in its own way */
};

struct hunt {
    struct dlw_target *target;
    struct dlw_file_lock request;
    int descriptor; /* of the asker */
    struct group *groups;
    size_t n;
    struct dlw_pids closed;
};

static bool is_same(const struct dlw_file_lock *a, const struct dlw_file_lock *b)
{
    return !strcmp(a->type, b->type) && a->is_write == b->is_write && a->owner == b->owner &&
           a->start == b->start && a->end == b->end;
}

static void add_holder(struct hunt *hunt, const struct dlw_file_lock *lock, uint32_t pid,
                       int descriptor)
{
    struct dlw_region *region = hunt->target->region;
    size_t i = 0;
    while (i < hunt->n && !is_same(&hunt->groups[i].lock, lock))
        i++;
    if (i == hunt->n) {
        hunt->groups = dlw_region_grow(region, hunt->groups, hunt->n, sizeof *hunt->groups);
        hunt->groups[hunt->n++] = (struct group){.lock = *lock};
    }
    struct group *group = &hunt->groups[i];
    group->is_own |= pid == hunt->target->pid && descriptor == hunt->descriptor;
    for (size_t k = 0; k < group->n; k++)
        if (group->holders[k].pid == pid)
            return;
    group->holders = dlw_region_grow(region, group->holders, group->n, sizeof *group->holders);
    group->holders[group->n++] = (struct dlw_file_holder){pid, descriptor};
}

static void look_at_descriptor(struct hunt *hunt, uint32_t pid, int descriptor)
{
    char path[64], *line = NULL;
    size_t room = 0;
    snprintf(path, sizeof path, "/proc/%u/fdinfo/%d", pid, descriptor);
    FILE *file = fopen(path, "re");
    while (file && getline(&line, &room, file) > 0) {
        struct dlw_file_lock lock;
        if (!strncmp(line, "lock:", 5) && dlw_file_lock_parse(line + 5, &lock) &&
            dlw_file_locks_conflict(&lock, &hunt->request))
            add_holder(hunt, &lock, pid, descriptor);
    }
    free(line);
    if (file)
        fclose(file);
}

static void look_at_process(void *context, uint32_t pid)
{
    struct hunt *hunt = context;
    char path[64];
    snprintf(path, sizeof path, "/proc/%u/fdinfo", pid);
    DIR *folder = opendir(path);
    if (!folder) {
        if (dlw_proc_inner(pid, pid))
            dlw_pids_add(hunt->target->region, &hunt->closed, pid);
        return;
    }
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;)
        if (isdigit((unsigned char)*entry->d_name))
            look_at_descriptor(hunt, pid, atoi(entry->d_name));
    closedir(folder);
}

static bool are_asleep(const struct hunt *hunt, const struct group *group)
{
    struct dlw_target *target = hunt->target;
    for (size_t i = 0; i < group->n; i++)
        if (!dlw_process_is_asleep(target->region, target->machine, group->holders[i].pid))
            return false;
    return group->n > 0;
}

/* Each of them keeps the asker waiting by itself: one that nobody can let go is the one to tell. */
static const struct group *choose(const struct hunt *hunt, bool *is_asleep)
{
    const struct group *first = NULL;
    *is_asleep = false;
    for (size_t i = 0; i < hunt->n && !*is_asleep; i++) {
        const struct group *group = &hunt->groups[i];
        if (group->is_own)
            continue;
        *is_asleep = are_asleep(hunt, group);
        first = *is_asleep || !first ? group : first;
    }
    return first;
}

static const char *doubt_of(const struct hunt *hunt, const struct group *group)
{
    struct dlw_region *region = hunt->target->region;
    struct dlw_pids owners = {0};
    if (dlw_proc_is_hidden())
        return "/proc does not show the processes of other users";
    for (size_t i = 0; group && i < group->n; i++)
        dlw_pids_add(region, &owners, group->holders[i].pid);
    size_t n = dlw_kin_count(&hunt->closed, &owners, true);
    return n ? dlw_region_print(region,
                                "%zu process%s can't be looked into and may have the lock as well",
                                n, n == 1 ? "" : "es")
             : NULL;
}

static void read_wait(struct dlw_target *target, struct dlw_seen_thread *thread)
{
    struct hunt hunt = {.target = target, .descriptor = (int)thread->call.arguments[0]};
    if (!read_request(target, &thread->call, &hunt.request))
        return;
    dlw_proc_each(look_at_process, &hunt);
    struct dlw_seen_file *file = dlw_region_alloc(target->region, sizeof *file);
    const struct group *group = choose(&hunt, &file->is_asleep);
    file->device = hunt.request.device;
    file->inode = hunt.request.inode;
    file->path = path_of(target, hunt.descriptor);
    file->doubt = doubt_of(&hunt, group);
    if (group) {
        file->holders = group->holders;
        file->n_holders = group->n;
    }
    thread->wait = (struct dlw_seen_wait){
        .kind = DLW_WAIT_FILE,
        .object = "file",
        .mode = hunt.request.is_write ? DLW_EXCLUSIVE : DLW_SHARED,
        .is_shared = true,
        .file = file,
    };
}

void dlw_file_locks_read(struct dlw_target *target)
{
    for (size_t i = 0; i < target->n_threads; i++) {
        struct dlw_seen_thread *thread = &target->threads[i];
        if (thread->stood_still && thread->wait.kind == DLW_WAIT_SYSCALL && !thread->wait.word &&
            dlw_call_is_endless(target->machine, &thread->call))
            read_wait(target, thread);
    }
}
