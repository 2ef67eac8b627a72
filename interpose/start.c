/*
 * Start and switch. The constructor runs before those of every other library (-z initfirst),
 * on one thread; calls that come earlier still pass through.
 */
#include "graph/base/sys.h"
#include "interpose/base/ability.h"
#include "interpose/base/direct.h"
#include "interpose/base/hash.h"
#include "interpose/base/objects.h"
#include "interpose/base/proc.h"
#include "interpose/base/real.h"
#include "interpose/base/signals.h"
#include "interpose/base/state.h"
#include "interpose/fork.h"
#include "interpose/locks/ownership.h"
#include "interpose/order/segments.h"
#include "interpose/python/runtime.h"
#include "interpose/stacks/capture.h"
#include "interpose/stacks/libunwind.h"
#include "interpose/steer/avoid.h"
#include "interpose/steer/pause.h"
#include "interpose/steer/role.h"
#include "interpose/tell/reporter.h"
#include "interpose/threads/hooks.h"
#include "interpose/threads/profile.h"
#include "interpose/watch/stall.h"
#include "interpose/wrap/cond.h"
#include "interpose/wrap/libs/libs.h"
#include "interpose/wrap/process/ends.h"
#include "interpose/wrap/process/exec.h"
#include "interpose/wrap/static_guard.h"
#include "interpose/wrap/thread.h"
#include "report/emit/helper.h"
#include "report/emit/say.h"
#include "report/emit/tally.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>

static char option_storage[8192];
static char exe[4096];
static char folder[4096];

static void read_link(const char *path, char *out, size_t size)
{
    long got = dlw_syscall(SYS_readlinkat, AT_FDCWD, path, out, size - 1);

    out[got > 0 ? got : 0] = 0;
}

/* ---- start ---- */

static void warn_line(void *context, const char *line)
{
    (void)context;
    dlw_say(line, NULL);
}

static const char *own_path(void)
{
    struct dl_find_object object;

    return dlw_object_find((uintptr_t)own_path, &object) ? object.dlfo_link_map->l_name : "";
}

static const char *value_of(const char *name, char *const *environment)
{
    size_t n = strlen(name);

    for (; environment && *environment; environment++)
        if (strncmp(*environment, name, n) == 0 && (*environment)[n] == '=')
            return *environment + n + 1;
    return NULL;
}

static void make_nonce(void)
{
    if (dlw_syscall(SYS_getrandom, &dlw_nonce, sizeof(dlw_nonce), 1 /* GRND_NONBLOCK */) !=
        (long)sizeof(dlw_nonce))
        dlw_nonce = dlw_now() * DLW_GOLDEN ^ (uint64_t)dlw_pid() << 32;
}

/* Only a file: opening a pipe may wait for ever, opening a device may do anything. */
static bool is_readable_file(const char *path)
{
    struct stat status;

    return dlw_syscall(SYS_newfstatat, AT_FDCWD, path, &status, 0) == 0 &&
           (S_ISREG(status.st_mode) || strcmp(path, "/dev/null") == 0) &&
           dlw_syscall(SYS_faccessat, AT_FDCWD, path, R_OK) == 0;
}

/* The command reads them, maybe never, and wherever the program has gone by then: who misspelt the
 * name should hear of it now, once. */
static void check_suppressions(struct dlw_options *options)
{
    static char absolute[sizeof(folder)];
    const char *path = options->suppressions;

    if (!path || !*path)
        return;
    size_t before = path[0] == '/' ? 0 : strlen(folder), length = strlen(path);
    bool fits = before + length + 2 <= sizeof(absolute);
    if (fits) {
        memcpy(absolute, folder, before);
        absolute[before] = '/';
        memcpy(absolute + before + (path[0] != '/'), path, length + 1);
    }
    options->suppressions = absolute;
    if (fits && is_readable_file(absolute))
        return;
    dlw_say("the suppressions '", path, "' can't be read (no file); nothing is suppressed", NULL);
    options->suppressions = NULL;
}

/* Options are read twice: the first time in silence, to learn where warnings go. */
static void read_options(char **environment)
{
    const char *text = value_of("DLWATCH_OPTIONS", environment);

    read_link("/proc/self/exe", exe, sizeof(exe));
    long got = dlw_syscall(SYS_getcwd, folder, sizeof(folder));
    folder[got > 0 ? sizeof(folder) - 1 : 0] = 0;
    dlw_options_parse(&dlw_options, text, option_storage, sizeof(option_storage), NULL, NULL);
    dlw_say_start(&dlw_options, folder, exe);
    if (!dlw_options_watches(dlw_options.exe, exe))
        return;
    dlw_options_parse(&dlw_options, text, option_storage, sizeof(option_storage), warn_line, NULL);
    check_suppressions(&dlw_options);
    if (dlw_options.help)
        dlw_options_help(warn_line, NULL);
}

static bool start_graph(void)
{
    dlw_life_graph = dlw_life_new(&dlw_graph_arena);
    if (dlw_life_graph)
        dlw_order_graph = dlw_order_new(&dlw_graph_arena, dlw_life_graph, NULL);
    return dlw_order_graph != NULL;
}

static void thread_starts(struct dlw_thread *record)
{
    dlw_learn_thread_starts(record);
    dlw_role_thread_starts(record);
}

const struct dlw_hooks dlw_hooks = {
    .purge = dlw_held_purge,
    .switched_off = dlw_report_off,
    .thread_starts = thread_starts,
    .place_has_role = dlw_role_is_place,
    .role_taken = dlw_role_taken,
    .thread_counted = dlw_profile_ends,
    .watch_end = dlw_thread_end_watch,
    .condition_left = dlw_cond_left,
    .before_fork = dlw_fork_before,
    .after_fork_in_parent = dlw_fork_in_parent,
    .after_fork_in_child = dlw_fork_in_child,
};

/* Where the locks of libc do nothing there is nothing that could be missed: it counts as watched,
 * and what it starts is told, as by any other. */
static bool is_left_alone(char **argv, char **environment)
{
    bool is_meant = dlw_options_watches(dlw_options.exe, exe);

    if (is_meant && dlw_libc_has_threads())
        return false;
    dlw_report_start(exe, folder, (const char *const *)argv, value_of("DLWATCH_RUN", environment));
    dlw_report_leaves_alone(is_meant ? "no libpthread at start" : "exe");
    if (!is_meant)
        return true;
    dlw_tally_sign_in(value_of("DLWATCH_TALLY", environment), dlw_pid());
    dlw_libc_start();
    dlw_ends_start();
    dlw_tells_starts = true;
    return true;
}

static void gives_up(void)
{
    dlw_switch_off("one of its own locks was not let go of");
}

__attribute__((constructor)) static void start(int argc, char **argv, char **environment)
{
    (void)argc;
    dlw_self = &dlw_nobody;
    dlw_objects_start();
    dlw_real_resolve();
    dlw_fork_start(); /* before anything allocates */
    dlw_guard_start();
    dlw_pid_changed();
    read_options(environment);
    dlw_exec_start(own_path(), environment);
    if (is_left_alone(argv, environment))
        return;
    dlw_libc_start();
    make_nonce();
    dlw_helper_find(own_path(), folder);
    uint32_t tid = (uint32_t)dlw_syscall(SYS_gettid);
    bool is_known = dlw_platform_check(tid);
    dlw_marks_are_on = is_known && dlw_options.marks;
    dlw_direct_is_on = is_known && dlw_options.direct && dlw_direct_check(tid, environment);
    if (!is_known)
        dlw_ability_lacks(DLW_ABILITY_MARKS, "libc lays its locks out in a way that is not known");
    if (dlw_options.direct && !dlw_direct_is_on)
        dlw_ability_lacks(DLW_ABILITY_DIRECT, "libc was not seen to do the same");
    dlw_stacks_start(exe, folder);
    if (!start_graph()) {
        dlw_say("out of memory at start; the program goes on unwatched", NULL);
        return;
    }
    dlw_pause_start(dlw_options.steer);
    if (!dlw_libunwind_open()) {
        static const char why[] = DLW_UNWIND_LIBRARY " is not installed";
        dlw_ability_lacks(DLW_ABILITY_STACKS, why);
        dlw_stacks_lack_rules(why);
    }
    dlw_report_start(exe, folder, (const char *const *)argv, value_of("DLWATCH_RUN", environment));
    dlw_avoid_start(folder); /* no rule of the program's code is learned yet */
    dlw_tally_sign_in(value_of("DLWATCH_TALLY", environment), dlw_pid());
    dlw_stall_start();
    dlw_thread_end_start();
    dlw_signals_start();
    dlw_lock_on_failure = gives_up;
    dlw_ends_start();
    dlw_python_start();
    dlw_has_started = true;
    atomic_store_explicit(&dlw_is_on, true, memory_order_release);
    dlw_threads_start((uintptr_t)environment);
    dlw_libs_start();
    if (dlw_options.verbosity > 0)
        dlw_say("watching ", exe, NULL);
}
