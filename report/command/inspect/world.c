#include "report/command/inspect/world.h"

#include <signal.h>
#include <string.h>

static struct dlw_target *target_at(const struct dlw_world *view, size_t at)
{
    return at ? view->target->peers[at - 1] : view->target;
}

/* Whose thread it is; `id` becomes its index. */
struct dlw_target *dlw_world_locate(const struct dlw_world *view, uint32_t *id)
{
    size_t at = 0;
    --*id;
    while (*id >= target_at(view, at)->n_threads)
        *id -= (uint32_t)target_at(view, at++)->n_threads;
    return target_at(view, at);
}

uint32_t dlw_world_id(const struct dlw_world *view, const struct dlw_target *target, size_t index)
{
    size_t before = 0;
    for (size_t at = 0; target_at(view, at) != target; at++)
        before += target_at(view, at)->n_threads;
    return (uint32_t)(before + index) + 1;
}

const struct dlw_seen_thread *dlw_world_thread(const struct dlw_world *view, uint32_t id)
{
    const struct dlw_target *target = dlw_world_locate(view, &id);
    return &target->threads[id];
}

struct dlw_target *dlw_world_target(const struct dlw_world *view, uint32_t pid)
{
    for (size_t at = 0; at <= view->target->n_peers; at++)
        if (target_at(view, at)->pid == pid)
            return target_at(view, at);
    return NULL;
}

/* 0: it is not looked at. */
static uint32_t id_of(const struct dlw_world *view, uint32_t pid, uint32_t inner)
{
    struct dlw_target *target = dlw_world_target(view, pid);
    const struct dlw_seen_thread *thread = target ? dlw_target_inner(target, inner) : NULL;
    return thread ? dlw_world_id(view, target, (size_t)(thread - target->threads)) : 0;
}

/* The thread of another process that holds what is waited for; 0: it is not looked at. */
static uint32_t holder_outside(const struct dlw_world *view, const struct dlw_seen_wait *wait)
{
    return wait->holder == DLW_HOLDER_OUTSIDE && wait->holder_pid
               ? id_of(view, wait->holder_pid, wait->holder_tid)
               : 0;
}

/* Are all processes looked at that could let it go? */
static bool is_file_known(const struct dlw_world *view, const struct dlw_seen_file *file)
{
    for (size_t i = 0; i < file->n_holders; i++)
        if (!dlw_world_target(view, file->holders[i].pid))
            return false;
    return file->n_holders > 0;
}

bool dlw_file_is_with(const struct dlw_seen_file *file, uint32_t pid)
{
    for (size_t i = 0; i < file->n_holders; i++)
        if (file->holders[i].pid == pid)
            return true;
    return false;
}

/* A futex of unknown kind can be ended by any thread of the process, if by nobody else. */
static bool is_private_futex(const struct dlw_seen_wait *wait)
{
    return wait->kind == DLW_WAIT_SYSCALL && wait->word && !wait->is_shared;
}

bool dlw_world_has_holder(const struct dlw_world *view, const struct dlw_seen_wait *wait)
{
    if ((wait->n_holders && wait->kind != DLW_WAIT_SEMAPHORE) || wait->n_takers)
        return true;
    return wait->holder == DLW_HOLDER_THREAD || wait->holder == DLW_HOLDER_GONE ||
           holder_outside(view, wait);
}

static enum dlw_wait_kind kind_for(const struct dlw_world *view, const struct dlw_seen_wait *wait)
{
    bool is_lock = wait->kind != DLW_WAIT_NONE && wait->kind != DLW_WAIT_SYSCALL;
    /* Any thread of those that have the file can end the wait, and nobody else. */
    if (wait->file)
        return view->any_holder && is_file_known(view, wait->file) ? DLW_WAIT_SEMAPHORE
                                                                   : DLW_WAIT_NONE;
    if (wait->is_shared && wait->kind == DLW_WAIT_JOIN && holder_outside(view, wait))
        return DLW_WAIT_JOIN; /* for a child */
    if (wait->kind == DLW_WAIT_SEMAPHORE && wait->n_takers)
        return DLW_WAIT_LOCK; /* it is one */
    if (wait->is_shared && wait->kind != DLW_WAIT_LOCK)
        return DLW_WAIT_NONE;
    if (view->any_holder && !wait->is_shared &&
        (is_private_futex(wait) || (is_lock && !dlw_world_has_holder(view, wait))))
        return DLW_WAIT_SEMAPHORE;
    return wait->kind;
}

/* What it is on is the waiter itself: who could end the wait is asked by that. */
static bool wait_of(void *context, uint32_t id, struct dlw_wait *out)
{
    const struct dlw_world *view = context;
    const struct dlw_seen_thread *thread = dlw_world_thread(view, id);
    if (!thread->stood_still) {
        *out = (struct dlw_wait){0};
        return true;
    }
    *out = (struct dlw_wait){
        .sequence = 1,
        .on = id,
        .kind = (uint8_t)kind_for(view, &thread->wait),
        .mode = (uint8_t)thread->wait.mode,
        .timed = thread->wait.is_timed,
    };
    return true;
}

static bool could_wake(void *context, uint32_t id, const struct dlw_wait *wait)
{
    const struct dlw_world *view = context;
    uint32_t waiter = (uint32_t)wait->on;
    const struct dlw_seen_file *file = dlw_world_thread(view, waiter)->wait.file;
    const struct dlw_target *target = dlw_world_locate(view, &id);
    return file ? dlw_file_is_with(file, target->pid) : target == dlw_world_locate(view, &waiter);
}

static int several_owners(const struct dlw_world *view, uint32_t id, struct dlw_owner *out,
                          uint32_t room)
{
    uint32_t n = 0;
    const struct dlw_target *target = dlw_world_locate(view, &id);
    const struct dlw_seen_wait *seen = &target->threads[id].wait;
    for (; n < seen->n_holders && n < room; n++)
        out[n] = (struct dlw_owner){.thread = dlw_world_id(view, target, seen->holders[n]),
                                    .mode = (uint8_t)!seen->is_behind,
                                    .ahead = seen->is_behind};
    return (int)n;
}

static int all_takers(const struct dlw_world *view, const struct dlw_seen_wait *seen,
                      struct dlw_owner *out, uint32_t room)
{
    uint32_t n = 0;
    for (size_t i = 0; i < seen->n_takers && n < room; i++) {
        uint32_t id = id_of(view, seen->takers[i].pid, seen->takers[i].inner);
        if (id)
            out[n++] = (struct dlw_owner){.thread = id,
                                          .mode = seen->kind == DLW_WAIT_SEMAPHORE ? DLW_EXCLUSIVE
                                                                                   : DLW_SHARED};
    }
    return (int)n;
}

int dlw_world_owners(void *context, uint32_t id, const struct dlw_wait *wait, struct dlw_owner *out,
                     uint32_t room)
{
    const struct dlw_world *view = context;
    const struct dlw_seen_wait *seen = &dlw_world_thread(view, id)->wait;
    (void)wait;
    if (!dlw_world_has_holder(view, seen))
        return view->any_holder ? 0 : -1;
    if (seen->n_takers)
        return all_takers(view, seen, out, room);
    if (seen->n_holders)
        return several_owners(view, id, out, room);
    uint32_t own = id;
    const struct dlw_target *target = dlw_world_locate(view, &own);
    if (room)
        *out = (struct dlw_owner){
            .thread = seen->holder == DLW_HOLDER_THREAD
                          ? dlw_world_id(view, target, seen->holder_index)
                          : holder_outside(view, seen),
            .mode = DLW_EXCLUSIVE,
        };
    return 1;
}

static int all_threads(void *context, uint32_t *out, uint32_t room)
{
    const struct dlw_world *view = context;
    uint32_t n = 0, id = 1;
    for (size_t at = 0; at <= view->target->n_peers; at++) {
        const struct dlw_target *target = target_at(view, at);
        for (size_t i = 0; i < target->n_threads; i++, id++) {
            if (target->threads[i].is_ended)
                continue;
            if (n < room)
                out[n] = id;
            n++;
        }
    }
    return (int)n;
}

struct dlw_live_view dlw_world_view(struct dlw_world *view)
{
    return (struct dlw_live_view){view, wait_of, dlw_world_owners, all_threads, could_wake};
}

size_t dlw_world_count(const struct dlw_world *view)
{
    size_t n = 0;
    for (size_t at = 0; at <= view->target->n_peers; at++)
        n += target_at(view, at)->n_threads;
    return n;
}

/* Signals that say that the program has broken; nobody waits to be woken by them. And those that
 * the threads' library keeps for itself. */
static const int no_wakers[] = {SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGSYS, 32, 33};

uint64_t dlw_waking_signals(const struct dlw_target *target)
{
    uint64_t signals = target->caught_signals;
    for (size_t i = 0; i < sizeof no_wakers / sizeof *no_wakers; i++)
        signals &= ~(UINT64_C(1) << (no_wakers[i] - 1));
    return signals;
}

/* As kill -l has them, on every processor that is known here. */
static const char *signal_name(int number)
{
    static const char *const names[] = {
        NULL,   "HUP",  "INT",  "QUIT", "ILL",    "TRAP",   "ABRT",  "BUS",  "FPE",  "KILL", "USR1",
        "SEGV", "USR2", "PIPE", "ALRM", "TERM",   "STKFLT", "CHLD",  "CONT", "STOP", "TSTP", "TTIN",
        "TTOU", "URG",  "XCPU", "XFSZ", "VTALRM", "PROF",   "WINCH", "POLL", "PWR",  "SYS"};

    unsigned at = (unsigned)number;
    return at < sizeof names / sizeof *names ? names[at] : NULL;
}

const char *dlw_signal_names(struct dlw_target *target, uint64_t signals)
{
    const char *names = "";
    for (int number = 1; number <= 64; number++) {
        if (!(signals >> (number - 1) & 1))
            continue;
        const char *name = signal_name(number);
        names = name
                    ? dlw_region_print(target->region, "%s%sSIG%s", names, *names ? ", " : "", name)
                    : dlw_region_print(target->region, "%s%ssignal %d", names, *names ? ", " : "",
                                       number);
    }
    return names;
}
