#include "report/command/inspect/across/asleep.h"

#include "report/command/inspect/target/futex.h"
#include "report/command/inspect/target/proc.h"
#include "report/command/inspect/target/registers.h"

bool dlw_call_is_endless(int machine, const struct dlw_call *call)
{
    struct dlw_target target = {.machine = machine, .memory = -1};
    struct dlw_futex futex;
    if (!call->is_known)
        return false;
    if (dlw_futex_decode(&target, call, &futex))
        return !futex.is_timed;
    return dlw_syscall_waits_for_file(machine, call);
}

bool dlw_process_is_asleep(struct dlw_region *region, int machine, uint32_t pid)
{
    struct dlw_target target = {.region = region, .pid = pid};
    uint32_t *list;
    size_t n = dlw_proc_list(&target, &list);
    for (size_t i = 0; i < n; i++) {
        struct dlw_call call;
        if (!dlw_proc_inner(pid, list[i]))
            continue;
        if (!dlw_proc_call(pid, list[i], &call) || !dlw_call_is_endless(machine, &call))
            return false;
    }
    return n > 0;
}

bool dlw_thread_is_asleep(struct dlw_region *region, int machine, uint32_t pid, uint32_t inner)
{
    struct dlw_target target = {.region = region, .pid = pid};
    uint32_t *list;
    size_t n = dlw_proc_list(&target, &list);
    for (size_t i = 0; i < n; i++) {
        struct dlw_call call;
        if (dlw_proc_inner(pid, list[i]) == inner)
            return dlw_proc_call(pid, list[i], &call) && dlw_call_is_endless(machine, &call);
    }
    return false;
}
