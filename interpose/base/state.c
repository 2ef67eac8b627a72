#include "interpose/base/state.h"

#include "graph/base/sys.h"
#include "interpose/base/real.h"

#include <signal.h>
#include <time.h>

struct dlw_options dlw_options;
struct dlw_lock dlw_graph_lock = DLW_LOCK_INIT(DLW_RANK_GRAPH);
struct dlw_arena dlw_graph_arena;
struct dlw_order *dlw_order_graph;
struct dlw_life *dlw_life_graph;
struct dlw_shared_line dlw_generation = {1};
uint64_t dlw_nonce;
bool dlw_marks_are_on;
bool dlw_direct_is_on;
_Atomic bool dlw_confined;
bool dlw_has_started;
_Atomic bool dlw_is_on;
bool dlw_tells_starts;

static uint32_t pid;

static uint64_t read_clock(clockid_t clock)
{
    struct timespec t = {0, 0};

    if (dlw_libc.clock_gettime)
        dlw_libc.clock_gettime(clock, &t);
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

void dlw_pid_changed(void)
{
    pid = (uint32_t)dlw_syscall(SYS_getpid);
}
