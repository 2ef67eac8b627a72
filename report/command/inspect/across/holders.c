#include "report/command/inspect/across/holders.h"

#include "report/command/inspect/across/asleep.h"
#include "report/command/inspect/across/kin.h"
#include "report/command/inspect/across/mappers.h"
#include "report/command/inspect/across/visible.h"
#include "report/command/inspect/target/proc.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

/* Threads often wait for locks of one piece of memory: who has it is asked once. */
struct trace {
    struct dlw_target *target;
    struct dlw_mappers mappers;
};

/* Numbers are those of a pid namespace: two processes of different ones may write the same. */
static bool is_numbered_otherwise(const struct trace *trace, uint64_t than)
{
    for (size_t i = 0; i < trace->mappers.n; i++)
        if (!than || trace->mappers.list[i].numbering != than)
            return true;
    return false;
}

/* From another namespace than ours they tell us nothing. */
static bool is_numbered_apart(const struct trace *trace)
{
    return is_numbered_otherwise(trace, dlw_proc_numbering((uint32_t)getpid()));
}

static const char *doubt_of_number(const struct trace *trace)
{
    return is_numbered_otherwise(trace, dlw_proc_numbering(trace->target->pid))
               ? "processes that have this memory number their threads in different pid "
                 "namespaces, so that the number of the holder may mean another one"
               : NULL;
}

/* Whoever has the memory and is awake might let go in the place of the one that has ended. */
static uint32_t find_awake(const struct trace *trace)
{
    struct dlw_target *target = trace->target;
    for (size_t i = 0; i < trace->mappers.n; i++)
        if (!dlw_process_is_asleep(target->region, target->machine, trace->mappers.list[i].pid))
            return trace->mappers.list[i].pid;
    return 0;
}

/* Some thread of the machine has that number now. */
static bool is_number_in_use(uint32_t tid)
{
    return (!kill((pid_t)tid, 0) || errno == EPERM) && dlw_proc_inner(tid, tid);
}

static const char *doubt_of(const struct trace *trace, const struct dlw_seen_wait *wait)
{
    struct dlw_region *region = trace->target->region;
    const struct dlw_mappers *mappers = &trace->mappers;
    if (is_numbered_apart(trace))
        return "processes that have this memory number their threads in other pid namespaces";
    if (mappers->is_hidden)
        return "/proc does not show the processes of other users";
    if (mappers->n_closed)
        return dlw_region_print(region,
                                "%zu process%s can't be looked into and may have this memory as "
                                "well",
                                mappers->n_closed, mappers->n_closed == 1 ? "" : "es");
    if (is_number_in_use(wait->holder_tid))
        return "the number is in use again, by a thread that does not have this memory";
    if (wait->is_rescued)
        return "the kernel should have passed the lock on";
    uint32_t awake = find_awake(trace);
    if (awake == trace->target->pid)
        return "another thread of this process is awake and might let go for it";
    if (awake)
        return dlw_region_print(
            region, "process %u has this memory as well, is awake and might let go for it", awake);
    return NULL;
}

/* Alive, but not to be seen in detail; nothing is known of it. */
static bool may_be_closed(const struct trace *trace, uint32_t tid)
{
    bool is_there = !kill((pid_t)tid, 0) || errno == EPERM;
    if (is_there && !dlw_proc_inner(tid, tid))
        return trace->mappers.is_hidden;
    return (is_there || is_numbered_apart(trace)) && trace->mappers.n_closed;
}

static void trace_holder(struct trace *trace, struct dlw_seen_wait *wait)
{
    const struct dlw_mapping *memory = dlw_target_mapping(trace->target, wait->address);
    if (!memory)
        return;
    if (!memory->is_shared) {
        /* Made for several processes, but a copy of each: whoever held it stayed in another. */
        wait->holder = DLW_HOLDER_GONE;
        return;
    }
    dlw_mappers_keep(trace->target, memory, &trace->mappers);
    const struct dlw_mapper *holder =
        dlw_mappers_thread(trace->target, &trace->mappers, wait->holder_tid);
    if (holder) {
        wait->holder_pid = holder->pid;
        wait->doubt = doubt_of_number(trace);
    } else if (may_be_closed(trace, wait->holder_tid)) {
        wait->doubt = "none that can be looked into has such a thread";
    } else {
        wait->holder = DLW_HOLDER_GONE;
        wait->doubt = doubt_of(trace, wait);
    }
}

/* It is one of our own, if it is ours that writes such numbers. */
static void trace_own(struct trace *trace, struct dlw_seen_wait *wait)
{
    const struct dlw_mapping *memory = dlw_target_mapping(trace->target, wait->address);
    if (!memory || !memory->is_shared)
        return;
    dlw_mappers_keep(trace->target, memory, &trace->mappers);
    wait->doubt = doubt_of_number(trace);
}

/* A child has none of its parent's other threads, but all locks as they were. */
static void trace_original(struct dlw_target *target, struct dlw_seen_wait *wait)
{
    uint32_t original = dlw_kin_original(target->pid);
    if (original && dlw_process_has_thread(target->region, original, wait->holder_tid))
        wait->stayed_in = original;
}

void dlw_holders_trace(struct dlw_target *target)
{
    struct trace trace = {.target = target};
    for (size_t i = 0; i < target->n_threads; i++) {
        struct dlw_seen_thread *thread = &target->threads[i];
        struct dlw_seen_wait *wait = &thread->wait;
        if (!thread->stood_still || !wait->holder_tid)
            continue;
        if (wait->holder == DLW_HOLDER_OUTSIDE)
            trace_holder(&trace, wait);
        else if (wait->holder == DLW_HOLDER_GONE && !wait->is_shared)
            trace_original(target, wait);
        else if (wait->holder == DLW_HOLDER_THREAD && wait->is_shared)
            trace_own(&trace, wait);
    }
}
