/*
 * The calls that start another program. Into some this library can't be loaded: with it in
 * LD_PRELOAD a program of another C library does not even start, and the loader of another machine
 * complains. For those it is taken out of the environment; all else in it stays, and so do results
 * and errno. Whatever runs unwatched is noted.
 *
 * A vfork child shares the parent's memory, but for a note made for the purpose (struct note) it
 * must leave no trace in it: its pid tells.
 */
#include "interpose/wrap/process/exec.h"

#include "graph/base/sys.h"
#include "interpose/base/real.h"
#include "interpose/base/state.h"
#include "interpose/tell/reporter.h"
#include "interpose/threads/record.h"
#include "interpose/wrap/process/target.h"
#include "report/emit/line.h"

#include <errno.h>
#include <spawn.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

static const char preload_is[] = "LD_PRELOAD=";
enum { NAME_BYTES = 256 };
static char own_name[NAME_BYTES]; /* last part of the path; empty: not preloaded, nothing is done */

/* ---- LD_PRELOAD ---- */

static const char *preload_in(char *const environment[])
{
    for (; environment && *environment; environment++)
        if (strncmp(*environment, preload_is, sizeof(preload_is) - 1) == 0)
            return *environment + sizeof(preload_is) - 1;
    return NULL;
}

static size_t word_length(const char *list)
{
    size_t n = 0;

    while (list[n] && list[n] != ':' && list[n] != ' ')
        n++;
    return n;
}

static bool is_ours(const char *word, size_t length)
{
    size_t n = strlen(own_name);

    return length >= n && memcmp(word + length - n, own_name, n) == 0 &&
           (length == n || word[length - n - 1] == '/');
}

static bool has_library(const char *list)
{
    while (list && *list) {
        size_t n = word_length(list);
        if (is_ours(list, n))
            return true;
        list += n + (list[n] != '\0');
    }
    return false;
}

/* The list without us, behind "LD_PRELOAD=" in `out`, which has room for all of it. False: nothing
 * is left. */
static bool leave_out(char *out, const char *list)
{
    size_t used = sizeof(preload_is) - 1, empty = used;

    memcpy(out, preload_is, used);
    while (*list) {
        size_t n = word_length(list);
        if (n && !is_ours(list, n)) {
            if (used > empty)
                out[used++] = ':';
            memcpy(out + used, list, n);
            used += n;
        }
        list += n + (list[n] != '\0');
    }
    out[used] = '\0';
    return used > empty;
}

void dlw_exec_start(const char *library_path, char *const environment[])
{
    const char *slash = strrchr(library_path, '/');
    const char *name = slash ? slash + 1 : library_path;

    if (strlen(name) >= NAME_BYTES)
        return;
    memcpy(own_name, name, strlen(name) + 1);
    if (!has_library(preload_in(environment)))
        own_name[0] = '\0'; /* linked, or by /etc/ld.so.preload */
}

/* ---- telling ---- */

/* Where nothing else is watched no thread has a record, nor a guard. */
static atomic_flag is_telling = ATOMIC_FLAG_INIT;

/* What comes until end_telling() takes internal locks. False: a signal handler has interrupted the
 * library, and nothing is told. Inlined, as of the guard. */
static inline __attribute__((always_inline)) bool begin_telling(struct dlw_thread *self)
{
    if (dlw_tells_starts)
        return !atomic_load_explicit(&dlw_confined, memory_order_relaxed) &&
               !atomic_flag_test_and_set_explicit(&is_telling, memory_order_acquire);
    if (dlw_thread_guard(self) & ~(uint32_t)DLW_GUARD_WAITING)
        return false;
    dlw_guard_enter(self);
    return true;
}

static void end_telling(struct dlw_thread *self)
{
    if (dlw_tells_starts)
        atomic_flag_clear_explicit(&is_telling, memory_order_release);
    else
        dlw_guard_leave(self);
}

/* ---- notes ---- */

enum { FREE, FILLING, FULL, TOLD, NOTES = 32 };

/*
 * What runs unwatched, once each. A vfork child fills a note, its parent tells it; one that is told
 * stays until its place is needed, so that a program which is started again and again is a line of
 * the journal, not a thousand. The states are acquire and release pairs.
 */
static struct note {
    _Atomic unsigned state;
    const char *why;
    char exe[NAME_BYTES];
} notes[NOTES];
static _Atomic unsigned next_note;

static bool is_noted(const char *exe, const char *why)
{
    for (size_t i = 0; i < NOTES; i++)
        if (atomic_load_explicit(&notes[i].state, memory_order_acquire) >= FULL &&
            notes[i].why == why && strncmp(notes[i].exe, exe, NAME_BYTES - 1) == 0)
            return true;
    return false;
}

static bool claim(struct note *note, unsigned state)
{
    return atomic_compare_exchange_strong_explicit(&note->state, &state, FILLING,
                                                   memory_order_acquire, memory_order_relaxed);
}

/* NULL: it is there already, or all places are full. */
static struct note *leave_note(const char *exe, const char *why, unsigned state)
{
    unsigned first = atomic_fetch_add_explicit(&next_note, 1, memory_order_relaxed);

    for (unsigned i = first; i < first + NOTES && !is_noted(exe, why); i++) {
        struct note *note = &notes[i % NOTES];
        if (!claim(note, FREE) && !claim(note, TOLD))
            continue;
        struct dlw_line name = DLW_LINE(note->exe);
        dlw_line_add(&name, exe);
        note->why = why;
        atomic_store_explicit(&note->state, state, memory_order_release);
        return note;
    }
    return NULL;
}

/* The program did not start after all. */
static void withdraw(struct note *note)
{
    if (note)
        atomic_store_explicit(&note->state, FREE, memory_order_release);
}

void dlw_exec_collect(void)
{
    for (size_t i = 0; i < NOTES; i++) {
        unsigned expected = FULL;
        if (!atomic_compare_exchange_strong_explicit(&notes[i].state, &expected, FILLING,
                                                     memory_order_acquire, memory_order_relaxed))
            continue;
        dlw_report_unwatched(notes[i].exe, notes[i].why);
        atomic_store_explicit(&notes[i].state, TOLD, memory_order_release);
    }
}

void dlw_exec_end(const char *ended, int status)
{
    struct dlw_thread *self = dlw_thread_self();

    if (!begin_telling(self))
        return;
    dlw_exec_collect();
    dlw_report_closes(ended, status);
    end_telling(self);
}

/* ---- what is about to start ---- */

struct start {
    const char *file;
    bool is_searched; /* along PATH */
    char *const *environment;
    /* made here */
    const char *why; /* it runs unwatched; NULL: it does not */
    bool is_without; /* the library must not be in its environment */
    char path[DLW_TARGET_PATH];
};

/* Its children are watched all the same: a static program hands its environment on. */
static void judge(struct start *start)
{
    int kept = errno;

    start->why = NULL;
    start->is_without = false;
    if (!own_name[0] || !start->file)
        return;
    bool is_found = dlw_target_find(start->file, start->is_searched, start->path);
    enum dlw_target target = is_found ? dlw_target_of(start->path) : DLW_TARGET_LOADS;
    bool is_handed_on = has_library(preload_in(start->environment));
    start->is_without = is_handed_on && target >= DLW_TARGET_OTHER_LIBC;
    if (is_found)
        start->why = target == DLW_TARGET_LOADS && !is_handed_on ? "LD_PRELOAD reset"
                                                                 : dlw_target_words(target);
    errno = kept;
}

static bool is_own_process(void)
{
    return (uint32_t)dlw_syscall(SYS_getpid) == dlw_pid();
}

/* A call may come before the constructor: the real functions are looked up then. */
static void begin(void)
{
    if (!dlw_pid())
        dlw_thread_self();
}

static void tell(struct dlw_thread *self, const struct start *start)
{
    if (!begin_telling(self))
        return;
    dlw_exec_collect();
    if (leave_note(start->path, start->why, TOLD))
        dlw_report_unwatched(start->path, start->why);
    end_telling(self);
}

static struct note *leave_note_of_child(const struct start *start)
{
    bool is_told = atomic_load_explicit(&dlw_is_on, memory_order_relaxed) || dlw_tells_starts;

    return start->why && is_told ? leave_note(start->path, start->why, FULL) : NULL;
}

/* Before an exec: there is no afterwards. The note of a vfork child, to be withdrawn if it fails.
 */
static struct note *becomes_another(const struct start *start)
{
    int kept = errno;

    if (!is_own_process())
        return leave_note_of_child(start);
    struct dlw_thread *self = dlw_thread_self();
    if (!begin_telling(self))
        return NULL;
    self->calls++;
    dlw_exec_collect();
    if (start->why && leave_note(start->path, start->why, TOLD))
        dlw_report_unwatched(start->path, start->why);
    dlw_report_exec();
    end_telling(self);
    errno = kept;
    return NULL;
}

/* ---- the environment without us ---- */

static size_t count_entries(char *const environment[])
{
    size_t n = 0;

    while (environment && environment[n])
        n++;
    return n;
}

/* `changed` has room for as many pointers, `preload` for the whole of LD_PRELOAD. */
static void edit(char **changed, char *preload, char *const environment[])
{
    for (; *environment; environment++) {
        bool is_it = strncmp(*environment, preload_is, sizeof(preload_is) - 1) == 0;
        if (!is_it)
            *changed++ = *environment;
        else if (leave_out(preload, *environment + sizeof(preload_is) - 1))
            *changed++ = preload;
    }
    *changed = NULL;
}

/* The arrays lie on the caller's stack, as libc's own do: a vfork child has no other memory. */
#define WITHOUT_US(changed, environment)                                                           \
    char preload_of_##changed[strlen(preload_in(environment)) + sizeof(preload_is)];               \
    char *changed[count_entries(environment) + 1];                                                 \
    edit(changed, preload_of_##changed, environment)

/* Of several LD_PRELOAD variables the loader takes the first that it meets; so does this. */
static int exec_without(const struct start *start, char *const argv[])
{
    WITHOUT_US(changed, start->environment);
    return start->is_searched ? real.execvpe(start->file, argv, changed)
                              : real.execve(start->file, argv, changed);
}

static int exec(struct start *start, char *const argv[])
{
    begin();
    judge(start);
    struct note *note = becomes_another(start);
    int result = start->is_without    ? exec_without(start, argv)
                 : start->is_searched ? real.execvpe(start->file, argv, start->environment)
                                      : real.execve(start->file, argv, start->environment);
    withdraw(note);
    return result;
}

/* ---- exec ---- */

DLW_EXPORT int execve(const char *path, char *const argv[], char *const environment[])
{
    struct start start = {.file = path, .environment = environment};

    return exec(&start, argv);
}

DLW_EXPORT int execv(const char *path, char *const argv[])
{
    struct start start = {.file = path, .environment = environ};

    return exec(&start, argv);
}

DLW_EXPORT int execvp(const char *file, char *const argv[])
{
    struct start start = {.file = file, .is_searched = true, .environment = environ};

    return exec(&start, argv);
}

DLW_EXPORT int execvpe(const char *file, char *const argv[], char *const environment[])
{
    struct start start = {.file = file, .is_searched = true, .environment = environment};

    return exec(&start, argv);
}

static int fexec_without(int fd, char *const argv[], char *const environment[])
{
    WITHOUT_US(changed, environment);
    return real.fexecve(fd, argv, changed);
}

/* The kernel's name of the descriptor leads to its file. */
DLW_EXPORT int fexecve(int fd, char *const argv[], char *const environment[])
{
    char name[32];
    struct dlw_line line = DLW_LINE(name);
    struct start start = {.file = fd >= 0 ? name : NULL, .environment = environment};

    dlw_line_add(&line, "/proc/self/fd/");
    dlw_line_add_number(&line, (uint64_t)(fd >= 0 ? fd : 0));
    begin();
    judge(&start);
    struct note *note = becomes_another(&start);
    int result = start.is_without ? fexec_without(fd, argv, environment)
                                  : real.fexecve(fd, argv, environment);
    withdraw(note);
    return result;
}

static size_t count(const char *first, va_list list)
{
    size_t n = 1;

    if (!first)
        return 0;
    while (va_arg(list, const char *))
        n++;
    return n;
}

/* The caller reads on behind them: by address, since a list handed over may be a copy (aarch64). */
static void fill(const char **argv, size_t n, const char *first, va_list *list)
{
    argv[0] = first;
    for (size_t i = 1; i <= n; i++)
        argv[i] = va_arg(*list, const char *);
}

/* The array lies on the caller's stack, as in libc. */
#define ARGUMENTS(argv, first, list)                                                               \
    va_start(list, first);                                                                         \
    size_t n_##argv = count(first, list);                                                          \
    va_end(list);                                                                                  \
    const char *argv[n_##argv + 1];                                                                \
    va_start(list, first);                                                                         \
    fill(argv, n_##argv, first, &list)

DLW_EXPORT int execl(const char *path, const char *first, ...)
{
    struct start start = {.file = path, .environment = environ};
    va_list list;

    ARGUMENTS(argv, first, list);
    va_end(list);
    return exec(&start, (char *const *)argv);
}

DLW_EXPORT int execlp(const char *file, const char *first, ...)
{
    struct start start = {.file = file, .is_searched = true, .environment = environ};
    va_list list;

    ARGUMENTS(argv, first, list);
    va_end(list);
    return exec(&start, (char *const *)argv);
}

DLW_EXPORT int execle(const char *path, const char *first, ...)
{
    struct start start = {.file = path};
    va_list list;

    ARGUMENTS(argv, first, list);
    start.environment = va_arg(list, char *const *);
    va_end(list);
    return exec(&start, (char *const *)argv);
}

/* ---- spawn ---- */

typedef int spawning(pid_t *, const char *, const posix_spawn_file_actions_t *,
                     const posix_spawnattr_t *, char *const[], char *const[]);

static int spawn_without(spawning *call, pid_t *pid, const struct start *start,
                         const posix_spawn_file_actions_t *actions,
                         const posix_spawnattr_t *attributes, char *const argv[])
{
    WITHOUT_US(changed, start->environment);
    return call(pid, start->file, actions, attributes, argv, changed);
}

/* In the parent; told once it has gone well. File actions may change the folder that a relative
 * path is taken from: then the file is mostly not found, and nothing is known. */
static int spawn(spawning *call, pid_t *pid, struct start *start,
                 const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *attributes,
                 char *const argv[])
{
    struct dlw_thread *self = dlw_thread_self();

    judge(start);
    int result = start->is_without
                     ? spawn_without(call, pid, start, actions, attributes, argv)
                     : call(pid, start->file, actions, attributes, argv, start->environment);
    if (result == 0 && start->why && is_own_process())
        tell(self, start);
    return result;
}

DLW_EXPORT int posix_spawn(pid_t *restrict pid, const char *restrict path,
                           const posix_spawn_file_actions_t *actions,
                           const posix_spawnattr_t *restrict attributes, char *const argv[restrict],
                           char *const environment[restrict])
{
    struct start start = {.file = path, .environment = environment};

    begin();
    return spawn(real.posix_spawn, pid, &start, actions, attributes, argv);
}

DLW_EXPORT int posix_spawnp(pid_t *restrict pid, const char *restrict file,
                            const posix_spawn_file_actions_t *actions,
                            const posix_spawnattr_t *restrict attributes,
                            char *const argv[restrict], char *const environment[restrict])
{
    struct start start = {.file = file, .is_searched = true, .environment = environment};

    begin();
    return spawn(real.posix_spawnp, pid, &start, actions, attributes, argv);
}
