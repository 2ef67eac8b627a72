/*
 * Who waits for a global lock of CPython's, and who has it. From outside such a wait is one for a
 * condition, with a limit of some ms, again and again: its thread seldom stands still. It waits on
 * as long as the lock's holder does not move, from before the wait was read until after the holder
 * was.
 */
#include "report/command/inspect/python/python.h"

#include "report/command/inspect/target/futex.h"
#include "report/command/inspect/target/proc.h"

static bool uses(struct dlw_target *target, const struct dlw_python_layout *layout,
                 uint64_t interpreter, uint64_t gil)
{
    uint64_t used;
    return dlw_target_u64(target, interpreter + layout->gil_pointer, &used) && used == gil;
}

static bool is_gil(struct dlw_target *target, const struct dlw_python_seen *seen, uint64_t gil)
{
    enum { MOST = 10000 };
    const struct dlw_python_layout *layout = &seen->layout;
    uint64_t at;
    if (!layout->is_per_interpreter)
        return gil == seen->runtime + layout->gil;
    if (!dlw_target_u64(target, seen->runtime + layout->interpreters_head, &at))
        return false;
    for (unsigned i = 0; at && i < MOST; i++) {
        if (uses(target, layout, at, gil))
            return true;
        if (!dlw_target_u64(target, at + layout->interpreter_next, &at))
            return false;
    }
    return false;
}

/*
 * False: nobody has it, or it is just being taken. Who takes it sets `locked` before he puts
 * himself in the last holder's place, both with the mutex of switches in hand, which those who only
 * look whether it is free don't take. It is read last: where two readings are the same (the number
 * counts each switch) it did not change hands.
 */
static bool read_gil(struct dlw_target *target, uint64_t gil, struct dlw_seen_gil *out)
{
    uint32_t locked, switching;
    return dlw_target_u64(target, gil + DLW_GIL_NUMBER, &out->switches) &&
           dlw_target_u64(target, gil + DLW_GIL_HOLDER, &out->state) &&
           dlw_target_u32(target, gil + DLW_GIL_LOCKED, &locked) && locked == 1 &&
           dlw_target_u32(target, gil + DLW_GIL_SWITCH_MUTEX, &switching) && switching == 0;
}

static bool is_still(struct dlw_target *target, uint64_t gil, const struct dlw_seen_gil *before)
{
    struct dlw_seen_gil now;
    return read_gil(target, gil, &now) && now.state == before->state &&
           now.switches == before->switches;
}

/* The thread whose state is the last that had the lock, while that is taken; NULL: nobody, or it
 * can't be known. Before 3.11 a state names its thread by pthread's handle alone. */
static struct dlw_seen_thread *holder_of(struct dlw_target *target,
                                         const struct dlw_python_layout *layout, uint64_t gil,
                                         struct dlw_seen_gil *out)
{
    uint64_t id;
    if (!read_gil(target, gil, out) || !out->state ||
        !dlw_target_u64(target,
                        out->state + (layout->native_id ? layout->native_id : layout->thread_id),
                        &id) ||
        !id || !is_still(target, gil, out))
        return NULL;
    for (size_t i = 0; i < target->n_threads; i++) {
        struct dlw_seen_thread *thread = &target->threads[i];
        if (!thread->is_ended &&
            (layout->native_id ? thread->inner == id : dlw_thread_handle(target, thread) == id))
            return thread;
    }
    return NULL;
}

static bool is_set(struct dlw_target *target, uint64_t at)
{
    uint64_t word;
    return !dlw_target_u64(target, at, &word) || word != 0;
}

/* An interpreter that ends lets those who wait for its lock leave. */
static bool is_finalising(struct dlw_target *target, const struct dlw_python_seen *seen,
                          uint64_t gil)
{
    const struct dlw_python_layout *layout = &seen->layout;
    return is_set(target, seen->runtime + layout->finalizing) ||
           (layout->interpreter_finalizing &&
            is_set(target, gil - layout->gil + layout->interpreter_finalizing));
}

static void explain(struct dlw_target *target, const struct dlw_python_seen *seen,
                    struct dlw_seen_thread *thread, uint64_t gil)
{
    struct dlw_seen_wait wait = {
        .kind = DLW_WAIT_GIL, .object = "gil", .address = gil, .word = thread->wait.word};
    struct dlw_seen_thread *holder = holder_of(target, &seen->layout, gil, &wait.gil);
    thread->since = -1;
    if (!holder) {
        wait.note = "nobody had it when it was read, or that can't be known";
    } else {
        wait.holder = DLW_HOLDER_THREAD;
        wait.holder_tid = holder->inner;
        wait.holder_index = (uint32_t)(holder - target->threads);
        if (is_finalising(target, seen, gil))
            wait.doubt = "the interpreter is finalising: who waits for its GIL may leave";
    }
    thread->wait = wait;
}

void dlw_python_gils_read(struct dlw_target *target)
{
    struct dlw_python_seen seen;
    bool is_known = false, is_asked = false;
    for (size_t i = 0; i < target->n_threads; i++) {
        struct dlw_seen_thread *thread = &target->threads[i];
        uint64_t gil = thread->wait.address - DLW_GIL_CONDITION;
        if (thread->wait.kind != DLW_WAIT_CONDITION || !thread->wait.address)
            continue;
        if (!is_asked)
            is_known = dlw_python_find(target, &seen) && !seen.why;
        is_asked = true;
        if (is_known && is_gil(target, &seen, gil))
            explain(target, &seen, thread, gil);
    }
}

/* ---- who stood still ---- */

/* It is seen to wait, with the limit of a slice, between two looks at the lock, which it had when
 * its holder was read and has given nobody since: the wait that was read then may have been another
 * one's turn. Who drops it calls the kernel for the same condition, to wake, and may take it again
 * at once, which changes neither number nor holder. */
static bool waits_for_itself(struct dlw_target *target, const struct dlw_seen_thread *thread)
{
    const struct dlw_seen_wait *wait = &thread->wait;
    uint64_t condition = wait->address + DLW_GIL_CONDITION;
    struct dlw_futex futex;
    struct dlw_call call;
    if (target->is_core)
        return true;
    return is_still(target, wait->address, &wait->gil) &&
           dlw_proc_call(target->pid, thread->tid, &call) && call.is_known &&
           dlw_futex_decode(target, &call, &futex) && futex.is_timed &&
           futex.word - condition < DLW_GIL_MUTEX - DLW_GIL_CONDITION &&
           is_still(target, wait->address, &wait->gil);
}

/* A holder that waits for another GIL stands only where that one's does: until nothing is new. */
void dlw_python_gils_settle(struct dlw_target *target)
{
    for (bool is_news = true; is_news;) {
        is_news = false;
        for (size_t i = 0; i < target->n_threads; i++) {
            struct dlw_seen_thread *thread = &target->threads[i];
            const struct dlw_seen_wait *wait = &thread->wait;
            if (wait->kind != DLW_WAIT_GIL || thread->stood_still ||
                wait->holder != DLW_HOLDER_THREAD)
                continue;
            thread->stood_still = wait->holder_index == i
                                      ? waits_for_itself(target, thread)
                                      : target->threads[wait->holder_index].stood_still;
            is_news |= thread->stood_still;
        }
    }
}
