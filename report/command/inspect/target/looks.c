#include "report/command/inspect/target/looks.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <uthash.h>

bool dlw_looks_are_lasting;

/* A thread as it slept at the end of a look. */
struct sleeper {
    uint32_t tid;
    uint64_t switches, sp, pc;
    double began; /* of CLOCK_BOOTTIME */
};

struct look {
    struct {
        uint64_t pid, start;
    } key;
    struct sleeper *sleepers;
    size_t n;
    UT_hash_handle hh;
};

static struct look *looks; /* of this command's life */

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_BOOTTIME, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static struct look *find_look(const struct dlw_target *target)
{
    struct look *look, wanted = {.key = {target->pid, target->start_ticks}};
    HASH_FIND(hh, looks, &wanted.key, sizeof wanted.key, look);
    return look;
}

/* NULL: out of memory, and nothing is remembered. */
static struct look *add_look(const struct dlw_target *target, size_t room)
{
    struct look *look = find_look(target);
    if (!look) {
        look = calloc(1, sizeof *look);
        if (!look)
            return NULL;
        look->key.pid = target->pid;
        look->key.start = target->start_ticks;
        HASH_ADD(hh, looks, key, sizeof look->key, look);
    }
    free(look->sleepers);
    look->n = 0;
    look->sleepers = calloc(room + 1, sizeof *look->sleepers);
    return look->sleepers ? look : NULL;
}

/* ---- the folder ---- */

/* Its descriptor, or -1: there is none that is this user's alone. */
static int open_folder(void)
{
    char path[512];
    struct stat state;
    const char *base = geteuid() == 0 ? "/run" : getenv("XDG_RUNTIME_DIR");
    if (!dlw_looks_are_lasting || !base || *base != '/')
        return -1;
    snprintf(path, sizeof path, "%s/dlwatch", base);
    mkdir(path, 0700);
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (folder >= 0 && !fstat(folder, &state) && state.st_uid == geteuid() &&
        !(state.st_mode & 022))
        return folder;
    if (folder >= 0)
        close(folder);
    return -1;
}

static void name_file(const struct dlw_target *target, char name[64])
{
    snprintf(name, 64, "attach-%u-%" PRIu64, target->pid, target->start_ticks);
}

static void read_sleepers(FILE *file, struct look *look, size_t room)
{
    char line[256];
    struct sleeper one;
    while (look->n < room && fgets(line, sizeof line, file))
        if (sscanf(line, "%" SCNu32 " %" SCNu64 " %" SCNx64 " %" SCNx64 " %lf", &one.tid,
                   &one.switches, &one.sp, &one.pc, &one.began) == 5)
            look->sleepers[look->n++] = one;
}

static struct look *read_look(const struct dlw_target *target, int folder)
{
    char name[64];
    name_file(target, name);
    int descriptor = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    FILE *file = descriptor < 0 ? NULL : fdopen(descriptor, "r");
    if (!file)
        return NULL;
    size_t room = target->n_threads + 1024; /* threads may have ended since */
    struct look *look = add_look(target, room);
    if (look)
        read_sleepers(file, look, room);
    fclose(file);
    return look;
}

static void write_look(const struct look *look, int folder, const char *name)
{
    int descriptor =
        openat(folder, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    FILE *file = descriptor < 0 ? NULL : fdopen(descriptor, "w");
    if (!file)
        return;
    for (size_t i = 0; i < look->n; i++) {
        const struct sleeper *one = &look->sleepers[i];
        fprintf(file, "%" PRIu32 " %" PRIu64 " %" PRIx64 " %" PRIx64 " %.6f\n", one->tid,
                one->switches, one->sp, one->pc, one->began);
    }
    fclose(file);
}

/* What was kept of processes that have ended goes. */
static void tidy(int folder)
{
    int again = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = again < 0 ? NULL : fdopendir(again);
    for (const struct dirent *entry; list && (entry = readdir(list)) != NULL;) {
        if (strncmp(entry->d_name, "attach-", 7) || !isdigit((unsigned char)entry->d_name[7]))
            continue;
        if (kill((pid_t)strtol(entry->d_name + 7, NULL, 10), 0) && errno == ESRCH)
            unlinkat(folder, entry->d_name, 0);
    }
    if (list)
        closedir(list);
}

/* ---- a look ---- */

static bool is_sleeper(const struct dlw_seen_thread *thread, const struct sleeper *sleeper)
{
    return thread->tid == sleeper->tid && thread->switches == sleeper->switches &&
           thread->call.sp == sleeper->sp && thread->call.pc == sleeper->pc;
}

static const struct sleeper *find_sleeper(const struct look *look, size_t guess,
                                          const struct dlw_seen_thread *thread)
{
    if (guess < look->n && is_sleeper(thread, &look->sleepers[guess]))
        return &look->sleepers[guess];
    for (size_t i = 0; i < look->n; i++)
        if (is_sleeper(thread, &look->sleepers[i]))
            return &look->sleepers[i];
    return NULL;
}

void dlw_looks_recall(struct dlw_target *target)
{
    const struct look *look = find_look(target);
    int folder = open_folder();
    double time = target->sampled_at = now();
    if (!look && folder >= 0)
        look = read_look(target, folder);
    for (size_t i = 0; i < target->n_threads; i++) {
        struct dlw_seen_thread *thread = &target->threads[i];
        if (!thread->stood_still)
            continue;
        const struct sleeper *before = look ? find_sleeper(look, i, thread) : NULL;
        if (before && time - before->began > thread->since)
            thread->since = time - before->began;
        thread->is_least = !before && folder < 0 && thread->since >= 0;
    }
    if (folder >= 0)
        close(folder);
}

void dlw_looks_keep(struct dlw_target *target)
{
    struct look *look = add_look(target, target->n_threads);
    int folder = look ? open_folder() : -1;
    char name[64];
    for (size_t i = 0; look && i < target->n_threads; i++) {
        const struct dlw_seen_thread *thread = &target->threads[i];
        if (thread->stood_still && thread->since >= 0)
            look->sleepers[look->n++] =
                (struct sleeper){thread->tid, thread->switches, thread->call.sp, thread->call.pc,
                                 target->sampled_at - thread->since};
    }
    if (folder < 0)
        return;
    name_file(target, name);
    write_look(look, folder, name);
    tidy(folder);
    close(folder);
}
