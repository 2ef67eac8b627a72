#include "interpose/tell/thread_names.h"

#include "graph/base/arena.h"
#include "graph/base/sys.h"
#include "interpose/base/state.h"
#include "report/emit/say.h"

#include <fcntl.h>
#include <string.h>

#include "interpose/base/table.h"

enum { FEW = 1024 };

struct known {
    UT_hash_handle hh;
    uint32_t id;
    bool is_kept; /* by the next sweep: it was just noted, is alive, or evidence names it */
    struct dlw_journal_thread facts;
    char name[DLW_PYTHON_NAME];
    bool is_pythons;
};
static struct known *table;
static unsigned left = FEW; /* entries that the last sweep left in the table */

static struct known *find(uint32_t id)
{
    struct known *known = NULL;

    HASH_FIND(hh, table, &id, sizeof(id), known);
    return known;
}

static struct known *make(uint32_t id)
{
    struct known *known = dlw_arena_alloc(&arena, sizeof(*known));

    if (known) {
        known->id = id;
        known->is_kept = true;
        HASH_ADD(hh, table, id, sizeof(known->id), known);
    }
    return known;
}

bool dlw_thread_names_note_locked(const struct dlw_ended *facts)
{
    struct known *known = find(facts->id);
    /* As it ends, its frames are gone. */
    bool has_better = known && known->is_pythons && !facts->is_pythons;
    bool is_renamed = known && !has_better && strcmp(known->name, facts->name) != 0;

    if (!known && !(known = make(facts->id)))
        return false;
    known->facts = (struct dlw_journal_thread){
        .tid = facts->tid,
        .parent = facts->parent,
        .created = facts->created,
        .start = facts->start,
        .name = known->name,
    };
    if (!has_better) {
        memcpy(known->name, facts->name, sizeof(known->name));
        known->is_pythons = facts->is_pythons;
    }
    return is_renamed;
}

bool dlw_thread_names_find_locked(uint32_t id, struct dlw_journal_thread *out)
{
    const struct known *known = find(id);

    if (known)
        *out = known->facts;
    return known != NULL;
}

/* ---- the sweep ---- */

bool dlw_thread_names_is_due_locked(void)
{
    return HASH_COUNT(table) > left * 2;
}

void dlw_thread_names_keep_locked(uint32_t id)
{
    struct known *known = find(id);

    if (known)
        known->is_kept = true;
}

static void keep_one(void *context, dlw_node from, dlw_node to,
                     const struct dlw_order_ask *evidence, uint32_t held_index)
{
    (void)context, (void)from, (void)to, (void)held_index;
    dlw_thread_names_keep_locked(evidence->thread);
}

void dlw_thread_names_sweep_locked(void)
{
    struct known *known;
    struct known *next;

    dlw_order_each(dlw_order_graph, keep_one, NULL);
    HASH_ITER(hh, table, known, next)
    {
        if (!known->is_kept) {
            HASH_DEL(table, known);
            dlw_arena_free(&arena, known, sizeof(*known));
        } else {
            known->is_kept = false;
        }
    }
    left = HASH_COUNT(table) > FEW ? HASH_COUNT(table) : FEW;
}

/* ---- facts ---- */

/* The calling thread's own name costs one system call; another thread's is read from /proc. */
static void ask_name(char *name)
{
    enum { GET_NAME = 16 }; /* PR_GET_NAME */

    dlw_syscall(SYS_prctl, GET_NAME, name);
    name[DLW_NAME_BYTES - 1] = 0;
}

static void read_name(uint32_t tid, char *name)
{
    char path[64] = "/proc/self/task/";
    char read[DLW_NAME_BYTES];
    size_t n = strlen(path);

    dlw_say_number(path + n, tid);
    memcpy(path + strlen(path), "/comm", 6);
    long fd = dlw_syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0)
        return;
    long got = dlw_syscall(SYS_read, fd, read, DLW_NAME_BYTES - 1);
    dlw_syscall(SYS_close, fd);
    if (got <= 0)
        return;
    read[got - (read[got - 1] == '\n')] = 0;
    memcpy(name, read, sizeof(read));
}

/* Unless it was given another in the system: one that is not the program's, and no beginning of
 * what Python calls it (CPython passes that on from 3.14 on). */
static void ask_python(const struct dlw_thread *thread, struct dlw_ended *out)
{
    char name[DLW_PYTHON_NAME], programs[DLW_NAME_BYTES] = "";

    if (!dlw_python() ||
        !dlw_python_name_of((uintptr_t)thread->handle, &thread->python,
                            thread == dlw_self && thread->is_known, name, sizeof(name)))
        return;
    read_name((uint32_t)dlw_syscall(SYS_getpid), programs);
    if (strcmp(out->name, programs) != 0 && strncmp(name, out->name, strlen(out->name)) != 0)
        return;
    memcpy(out->name, name, sizeof(name));
    out->is_pythons = true;
}

void dlw_thread_names_read(const struct dlw_thread *thread, struct dlw_ended *out)
{
    *out = (struct dlw_ended){
        .id = thread->id,
        .tid = atomic_load_explicit(&thread->tid, memory_order_relaxed),
        .parent = thread->parent,
        .created = thread->created,
        .start = thread->start,
    };
    memcpy(out->name, thread->name, sizeof(thread->name));
    if (atomic_load_explicit(&dlw_confined, memory_order_relaxed))
        return;
    /* Another thread may run the end of the main one. */
    if (thread == dlw_self && out->tid == (uint32_t)dlw_syscall(SYS_gettid))
        ask_name(out->name);
    else
        read_name(out->tid, out->name);
    ask_python(thread, out);
}
