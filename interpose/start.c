/*
 * Start, switch and end. The constructor runs before those of every other library (-z initfirst),
 * on one thread; calls that come earlier still pass through.
 */
#include "interpose/start.h"

#include "graph/base/sys.h"
#include "interpose/base/proc.h"
#include "interpose/base/real.h"
#include "interpose/base/state.h"
#include "interpose/fork.h"
#include "interpose/order/validate.h"
#include "interpose/stacks/capture.h"
#include "interpose/stacks/rules.h"
#include "interpose/tell/reporter.h"
#include "interpose/wrap/thread.h"
#include "report/emit/helper.h"
#include "report/emit/say.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

struct dlw_options dlw_options;
struct dlw_lock dlw_graph_lock = DLW_LOCK_INIT(DLW_RANK_GRAPH);
struct dlw_arena dlw_graph_arena;
struct dlw_order *dlw_order_graph;
struct dlw_life *dlw_life_graph;
struct dlw_line dlw_generation = {1};
uint64_t dlw_nonce;
bool dlw_marks_are_on;
_Atomic bool dlw_confined;
_Atomic bool dlw_is_on;

static char option_storage[8192];
static char exe[4096];
static char folder[4096];
static uint32_t pid;
static const char *off_reason;
static int (*clock_function)(clockid_t, struct timespec *);

/* ---- time ---- */

static uint64_t read_clock(clockid_t clock)
{
    struct timespec t = {0, 0};

    if (clock_function)
        clock_function(clock, &t);
    else
        dlw_syscall(SYS_clock_gettime, clock, &t);
    return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

uint64_t dlw_now(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

double dlw_wall_time(void)
{
    return (double)read_clock(CLOCK_REALTIME) / 1e9;
}

uint32_t dlw_pid(void)
{
    return pid;
}

/* ---- where things are ---- */

extern const char trampolines_start[] __asm__("__start_dlw_trampolines")
    __attribute__((visibility("hidden")));
extern const char trampolines_end[] __asm__("__stop_dlw_trampolines")
    __attribute__((visibility("hidden")));
/* The linker makes these two, and would export them: the attribute does not reach what it makes. */
__asm__(".hidden __start_dlw_trampolines\n.hidden __stop_dlw_trampolines\n");

bool dlw_starts_thread(uintptr_t pc)
{
    return pc >= (uintptr_t)trampolines_start && pc < (uintptr_t)trampolines_end;
}

static void read_link(const char *path, char *out, size_t size)
{
    long got = dlw_syscall(SYS_readlinkat, AT_FDCWD, path, out, size - 1);

    out[got > 0 ? got : 0] = 0;
}

uintptr_t dlw_stack_end_of(uintptr_t address)
{
    struct dlw_mapping mapping;

    return dlw_proc_mapping(address, &mapping) ? mapping.high : address + 4096;
}

/* ---- the switch ---- */

void dlw_switch_off(const char *reason)
{
    if (!atomic_exchange_explicit(&dlw_is_on, false, memory_order_relaxed))
        return;
    off_reason = reason;
    if (dlw_self)
        dlw_self->guard |= DLW_GUARD_OFF;
}

void dlw_tell_switched_off(void)
{
    const char *reason = __atomic_exchange_n(&off_reason, NULL, __ATOMIC_RELAXED);

    if (reason)
        dlw_sink_off(reason);
}

void dlw_generation_follow_locked(void)
{
    static uint32_t seen;
    uint32_t now = dlw_order_generation(dlw_order_graph);

    if (now == seen)
        return;
    seen = now;
    atomic_fetch_add_explicit(&dlw_generation.value, 1, memory_order_relaxed);
}

void dlw_abort(void)
{
    struct { /* the kernel's sigaction */
        void (*handler)(int);
        unsigned long flags;
        void (*restorer)(void);
        uint64_t mask;
    } action = {SIG_DFL, 0, NULL, 0};
    uint64_t mask = 1ULL << (SIGABRT - 1);
    enum { UNBLOCK = 1 };

    dlw_syscall(SYS_rt_sigaction, SIGABRT, &action, NULL, 8);
    dlw_syscall(SYS_rt_sigprocmask, UNBLOCK, &mask, NULL, 8);
    dlw_syscall(SYS_tgkill, dlw_syscall(SYS_getpid), dlw_syscall(SYS_gettid), SIGABRT);
    for (;;)
        dlw_syscall(SYS_exit_group, 134);
}

void dlw_exit_with(int status)
{
    fflush(NULL);
    for (;;)
        dlw_syscall(SYS_exit_group, status);
}

void dlw_pid_changed(void)
{
    pid = (uint32_t)dlw_syscall(SYS_getpid);
}

/* ---- start ---- */

struct dlw_thread *dlw_start_early(void)
{
    dlw_real_resolve();
    return &dlw_nobody;
}

static void warn_line(void *context, const char *line)
{
    (void)context;
    dlw_say(line, NULL);
}

static void find_helper(void)
{
    struct dl_find_object object;

    if (_dl_find_object((void *)(uintptr_t)dlw_start_early, &object) != 0)
        return;
    dlw_helper_find(object.dlfo_link_map->l_name);
}

static void make_nonce(void)
{
    if (dlw_syscall(SYS_getrandom, &dlw_nonce, sizeof(dlw_nonce), 1 /* GRND_NONBLOCK */) !=
        (long)sizeof(dlw_nonce))
        dlw_nonce = dlw_now() * 0x9E3779B97F4A7C15ULL ^ (uint64_t)pid << 32;
}

static const char *option_text(char **environment)
{
    for (; environment && *environment; environment++)
        if (strncmp(*environment, "DLWATCH_OPTIONS=", 16) == 0)
            return *environment + 16;
    return NULL;
}

/* The command reads them, maybe never: who misspelt the name should hear of it now, once. */
static void check_suppressions(struct dlw_options *options)
{
    const char *path = options->suppressions;

    if (!path || !*path)
        return;
    long descriptor = dlw_syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
    if (descriptor >= 0) {
        dlw_syscall(SYS_close, descriptor);
        return;
    }
    dlw_say("the suppressions '", path, "' can't be read; nothing is suppressed", NULL);
    options->suppressions = NULL;
}

/* Options are read twice: the first time in silence, to learn where warnings go. */
static void read_options(char **environment)
{
    const char *text = option_text(environment);

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

static void start_clock(void)
{
    void *libc = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);

    /* Not the global name: a program may replace it (faketime), and that one may take locks. */
    clock_function =
        libc ? (int (*)(clockid_t, struct timespec *))dlsym(libc, "clock_gettime") : NULL;
}

static int exit_status = -1;

static void note_status(int status, void *unused)
{
    (void)unused;
    exit_status = status & 0xff;
}

__attribute__((constructor)) static void start(int argc, char **argv, char **environment)
{
    (void)argc;
    dlw_self = &dlw_nobody;
    dlw_real_resolve();
    pid = (uint32_t)dlw_syscall(SYS_getpid);
    read_options(environment);
    if (!dlw_options_watches(dlw_options.exe, exe))
        return;
    start_clock();
    make_nonce();
    find_helper();
    dlw_marks_are_on = dlw_platform_check((uint32_t)dlw_syscall(SYS_gettid)) && dlw_options.marks;
    dlw_stacks_start(exe, folder);
    if (!start_graph()) {
        dlw_say("out of memory at start; the program goes on unwatched", NULL);
        return;
    }
    if (!dlw_frames_start())
        dlw_say("libunwind (", DLW_UNWIND_LIBRARY, ") is not there; stacks show one frame only",
                NULL);
    dlw_sink_start(exe, folder, (const char *const *)argv);
    dlw_create_start();
    dlw_fork_start();
    on_exit(note_status, NULL);
    atomic_store_explicit(&dlw_is_on, true, memory_order_release);
    dlw_threads_start((uintptr_t)environment);
    if (dlw_options.verbosity > 0)
        dlw_say("watching ", exe, NULL);
}

/* ---- end ---- */

/* The last destructor to run, as the constructor was the first. `exitcode` is set by _exit after
 * stdio is flushed. */
__attribute__((destructor)) static void stop(void)
{
    if (!atomic_load_explicit(&dlw_is_on, memory_order_relaxed) ||
        (uint32_t)dlw_syscall(SYS_getpid) != pid)
        return;
    struct dlw_thread *self = dlw_thread_self();
    dlw_guard_enter(self);
    dlw_sink_end("exit", exit_status);
    if (dlw_options.exitcode && dlw_sink_found_errors())
        dlw_exit_with((int)dlw_options.exitcode);
    dlw_guard_leave(self);
}
