#include "report/command/inspect/across/children.h"

#include "report/command/inspect/across/asleep.h"
#include "report/command/inspect/across/kin.h"
#include "report/command/inspect/target/futex.h"
#include "report/command/inspect/target/proc.h"
#include "report/command/inspect/target/registers.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

/* 0: it has none, or several. */
static uint32_t only_child(uint32_t pid)
{
    struct dlw_region region = {0};
    struct dlw_target target = {.region = &region, .pid = pid};
    uint32_t *list, child = 0;
    size_t n = dlw_proc_list(&target, &list), found = 0;
    for (size_t i = 0; i < n; i++) {
        char path[64];
        uint32_t next;
        snprintf(path, sizeof path, "/proc/%u/task/%u/children", pid, list[i]);
        FILE *file = fopen(path, "re");
        for (; file && fscanf(file, "%" SCNu32, &next) == 1; found++)
            child = next;
        if (file)
            fclose(file);
    }
    dlw_region_free(&region);
    return found == 1 ? child : 0;
}

static bool has_one_thread(uint32_t pid)
{
    struct dlw_region region = {0};
    struct dlw_target target = {.region = &region, .pid = pid};
    uint32_t *list;
    size_t n = dlw_proc_list(&target, &list);
    dlw_region_free(&region);
    return n == 1;
}

/* True: for the end of one, or (0) of any. */
static bool decode(int machine, const struct dlw_call *call, uint32_t *pid)
{
    const char *name = call->is_known ? dlw_syscall_name(machine, call->number) : NULL;
    int first = (int)call->arguments[0];
    if (name && !strcmp(name, "wait4")) {
        *pid = first > 0 ? (uint32_t)first : 0;
        return (first > 0 || first == -1) && !(call->arguments[2] & WNOHANG);
    }
    if (!name || strcmp(name, "waitid") != 0)
        return false;
    *pid = first == P_PID ? (uint32_t)call->arguments[1] : 0;
    return (first == P_PID || first == P_ALL) && !(call->arguments[3] & WNOHANG);
}

bool dlw_call_is_for_child(int machine, const struct dlw_call *call)
{
    uint32_t pid;
    return decode(machine, call, &pid);
}

uint32_t dlw_child_waited_for(int machine, uint32_t pid, const struct dlw_call *call)
{
    uint32_t child;
    /* It must number its children as we do. */
    if (!decode(machine, call, &child) || dlw_proc_inner(pid, pid) != pid)
        return 0;
    if (!child)
        child = only_child(pid);
    return child && dlw_kin_parent(child) == pid && has_one_thread(child) ? child : 0;
}

static bool waits_outside(int machine, uint32_t pid)
{
    struct dlw_target target = {.machine = machine, .memory = -1};
    struct dlw_futex futex;
    struct dlw_call call;
    if (!dlw_proc_call(pid, pid, &call) || !dlw_call_is_endless(machine, &call))
        return false;
    return !dlw_futex_decode(&target, &call, &futex) || !futex.is_private;
}

void dlw_children_read(struct dlw_target *target)
{
    for (size_t i = 0; i < target->n_threads; i++) {
        struct dlw_seen_thread *thread = &target->threads[i];
        struct dlw_seen_wait *wait = &thread->wait;
        if (!thread->stood_still || wait->kind != DLW_WAIT_SYSCALL || wait->word || wait->file)
            continue;
        uint32_t child = dlw_child_waited_for(target->machine, target->pid, &thread->call);
        if (!child || !waits_outside(target->machine, child))
            continue;
        wait->kind = DLW_WAIT_JOIN;
        wait->object = "thread";
        wait->address = child; /* tells it from the ends of others */
        wait->is_shared = true;
        wait->holder = DLW_HOLDER_OUTSIDE;
        wait->holder_pid = child;
        wait->holder_tid = dlw_proc_inner(child, child);
    }
}
