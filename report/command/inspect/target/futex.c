#include "report/command/inspect/target/futex.h"

#include "report/command/inspect/target/registers.h"

#include <linux/futex.h>

#ifndef FUTEX_LOCK_PI2
#define FUTEX_LOCK_PI2 13
#endif

static bool is_waiting_operation(int operation)
{
    return operation == FUTEX_WAIT || operation == FUTEX_WAIT_BITSET ||
           operation == FUTEX_LOCK_PI || operation == FUTEX_LOCK_PI2 ||
           operation == FUTEX_WAIT_REQUEUE_PI;
}

bool dlw_futex_decode(struct dlw_target *target, const struct dlw_call *call, struct dlw_futex *out)
{
    bool is_restart = dlw_syscall_is_restart(target->machine, call->number);
    uint32_t word;
    if (!call->is_known || !(is_restart || dlw_syscall_is_futex(target->machine, call->number)))
        return false;
    out->operation = (int)call->arguments[1] & FUTEX_CMD_MASK;
    out->is_private = call->arguments[1] & FUTEX_PRIVATE_FLAG;
    out->is_timed = call->arguments[3] != 0;
    out->word = call->arguments[0];
    out->value = (uint32_t)call->arguments[2];
    out->is_for_all =
        out->operation == FUTEX_WAIT || (out->operation == FUTEX_WAIT_BITSET &&
                                         (uint32_t)call->arguments[5] == FUTEX_BITSET_MATCH_ANY);
    if (!is_waiting_operation(out->operation) || call->arguments[1] >> 9)
        return false;
    /* Sleeps and polls are restarted too, but their arguments are no futex. */
    return !is_restart ||
           (out->word % 4 == 0 && dlw_target_u32(target, out->word, &word) && word == out->value);
}

bool dlw_futex_has_changed(struct dlw_target *target, const struct dlw_call *call)
{
    struct dlw_futex futex;
    uint32_t word;
    return dlw_syscall_is_futex(target->machine, call->number) &&
           dlw_futex_decode(target, call, &futex) && futex.is_for_all &&
           dlw_target_u32(target, futex.word, &word) && word != futex.value;
}
