#include "report/command/inspect/verdict.h"

#include "report/command/inspect/file_circle.h"
#include "report/command/inspect/world.h"

#include <stdlib.h>

static struct dlw_arena scratch;

/* A handler that interrupts the call may make the program give up. */
static const char *doubt_of_call(struct dlw_target *target)
{
    uint64_t signals = dlw_waking_signals(target);
    if (!target->signals_known || !signals)
        return NULL;
    return dlw_region_print(target->region, "a signal handler could interrupt the wait (%s)",
                            dlw_signal_names(target, signals));
}

static const char *doubt_of_file(struct dlw_target *target, const struct dlw_seen_file *file)
{
    return file->doubt ? file->doubt : doubt_of_call(target);
}

static struct dlw_verdict_cycle *add_cycle(struct dlw_world *view, const uint32_t *ids, size_t n,
                                           bool *is_in, struct dlw_verdict *out)
{
    struct dlw_region *region = view->target->region;
    struct dlw_verdict_cycle cycle = {.n = n};
    cycle.threads = dlw_region_alloc(region, n * sizeof *cycle.threads);
    cycle.targets = dlw_region_alloc(region, n * sizeof(struct dlw_target *));
    for (size_t i = 0; i < n; i++) {
        is_in[ids[i]] = true;
        cycle.threads[i] = ids[i];
        cycle.targets[i] = dlw_world_locate(view, &cycle.threads[i]);
        const struct dlw_seen_wait *wait = &cycle.targets[i]->threads[cycle.threads[i]].wait;
        if (!cycle.doubt && wait->file)
            cycle.doubt = doubt_of_file(cycle.targets[i], wait->file);
        else if (!cycle.doubt && wait->kind == DLW_WAIT_JOIN && wait->is_shared)
            cycle.doubt = doubt_of_call(cycle.targets[i]);
        else if (!cycle.doubt)
            cycle.doubt = wait->doubt;
    }
    out->cycles = dlw_region_grow(region, out->cycles, out->n_cycles, sizeof *out->cycles);
    out->cycles[out->n_cycles] = cycle;
    return &out->cycles[out->n_cycles++];
}

static void keep_cycle(struct dlw_world *view, const struct dlw_wait_cycle *found, bool *is_in,
                       struct dlw_verdict *out)
{
    uint32_t *ids = dlw_region_alloc(view->target->region, found->length * sizeof *ids);
    for (uint32_t i = 0; i < found->length; i++)
        ids[i] = found->steps[i].thread;
    add_cycle(view, ids, found->length, is_in, out)->is_gone = found->steps[0].owner.thread == 0;
}

static void find_cycles(struct dlw_world *view, bool *is_in, struct dlw_verdict *out)
{
    struct dlw_live_view world = dlw_world_view(view);
    for (uint32_t id = 1; id <= view->target->n_threads; id++) {
        struct dlw_wait_cycle cycle;
        if (is_in[id] || !dlw_waits_find_cycle(&world, &scratch, id, &cycle))
            continue;
        keep_cycle(view, &cycle, is_in, out);
        dlw_wait_cycle_free(&scratch, &cycle);
    }
}

static bool is_lock_wait(const struct dlw_seen_thread *thread)
{
    switch (thread->wait.kind) {
    case DLW_WAIT_LOCK:
    case DLW_WAIT_ONCE:
    case DLW_WAIT_FILE:
    case DLW_WAIT_SPIN:
    case DLW_WAIT_GUARD:
    case DLW_WAIT_GIL:
        return (thread->wait.holder == DLW_HOLDER_THREAD || thread->wait.n_holders) &&
               thread->stood_still;
    default:
        return false;
    }
}

/* Joins belong to a queue only behind a lock: to join a busy worker is what programs do. */
static bool is_link(const struct dlw_seen_thread *thread)
{
    return is_lock_wait(thread) || (thread->wait.kind == DLW_WAIT_JOIN && thread->stood_still &&
                                    thread->wait.holder == DLW_HOLDER_THREAD);
}

/* Of several readers the first stands for all. */
static size_t holder_of(const struct dlw_seen_wait *wait)
{
    return wait->n_holders ? *wait->holders : wait->holder_index;
}

/* Follows the holders to the thread that waits for none; -1: round in a circle. */
static int64_t root_of(const struct dlw_target *target, size_t start, bool *has_lock)
{
    size_t at = start;
    *has_lock = false;
    for (size_t steps = 0; steps <= target->n_threads; steps++) {
        const struct dlw_seen_thread *thread = &target->threads[at];
        if (!is_link(thread))
            return (int64_t)at;
        *has_lock |= is_lock_wait(thread);
        at = holder_of(&thread->wait);
    }
    return -1;
}

static void add_waiter(struct dlw_target *target, struct dlw_verdict *out, uint32_t holder,
                       uint32_t waiter)
{
    struct dlw_verdict_queue *queue = NULL;
    for (size_t i = 0; i < out->n_queues; i++)
        if (out->queues[i].holder == holder)
            queue = &out->queues[i];
    if (!queue) {
        out->queues =
            dlw_region_grow(target->region, out->queues, out->n_queues, sizeof *out->queues);
        queue = &out->queues[out->n_queues++];
        *queue = (struct dlw_verdict_queue){.holder = holder};
    }
    queue->waiters =
        dlw_region_grow(target->region, queue->waiters, queue->n, sizeof *queue->waiters);
    queue->waiters[queue->n++] = waiter;
}

static int compare_queues(const void *a, const void *b)
{
    size_t left = ((const struct dlw_verdict_queue *)a)->n;
    size_t right = ((const struct dlw_verdict_queue *)b)->n;
    return (left < right) - (left > right);
}

static void find_queues(struct dlw_target *target, struct dlw_verdict *out)
{
    for (size_t i = 0; i < target->n_threads; i++) {
        bool has_lock;
        int64_t root = root_of(target, i, &has_lock);
        if (root >= 0 && (size_t)root != i && has_lock)
            add_waiter(target, out, (uint32_t)root, (uint32_t)i);
    }
    if (out->n_queues)
        qsort(out->queues, out->n_queues, sizeof *out->queues, compare_queues);
}

/* Whom the thread waits for, by a semaphore too; -1: for nobody that is known. */
static int64_t waits_for(const struct dlw_seen_thread *thread)
{
    const struct dlw_seen_wait *wait = &thread->wait;
    bool has_one = wait->n_holders ? wait->n_holders == 1 : wait->holder == DLW_HOLDER_THREAD;

    if (wait->kind == DLW_WAIT_SEMAPHORE && thread->stood_still && !wait->is_shared && has_one)
        return (int64_t)holder_of(wait);
    return is_link(thread) ? (int64_t)holder_of(wait) : -1;
}

/* How many threads stand in the circle through this one; 0: there is none. */
static size_t loop_length(const struct dlw_target *target, size_t start)
{
    int64_t at = (int64_t)start;
    for (size_t n = 1; n <= target->n_threads; n++) {
        at = waits_for(&target->threads[at]);
        if (at < 0)
            return 0;
        if ((size_t)at == start)
            return n;
    }
    return 0;
}

/* Each is found from the first of its threads, and is none of the certain ones. */
static void find_loops(struct dlw_target *target, const bool *is_in, struct dlw_verdict *out)
{
    for (size_t i = 0; i < target->n_threads; i++) {
        size_t n = is_in[i + 1] ? 0 : loop_length(target, i);
        struct dlw_verdict_cycle loop = {.n = n};
        bool is_first = n > 1;
        loop.threads = dlw_region_alloc(target->region, (n + 1) * sizeof *loop.threads);
        for (size_t k = 0, at = i; k < n; k++) {
            loop.threads[k] = (uint32_t)at;
            is_first = is_first && at >= i;
            at = (size_t)waits_for(&target->threads[at]);
        }
        if (!is_first)
            continue;
        out->loops = dlw_region_grow(target->region, out->loops, out->n_loops, sizeof *out->loops);
        out->loops[out->n_loops++] = loop;
    }
}

static bool waits_beyond_process(const struct dlw_target *target)
{
    for (size_t i = 0; i < target->n_threads; i++)
        if (target->threads[i].wait.is_shared)
            return true;
    return false;
}

/* All threads wait without limit. Is there anything left that could wake one? */
static void judge_stall(struct dlw_target *target, struct dlw_verdict *out)
{
    uint64_t signals = dlw_waking_signals(target);
    out->is_certain = target->signals_known;
    if (waits_beyond_process(target)) {
        out->reason = "every thread waits without limit; another process could wake one, through "
                      "memory that they share";
    } else if (signals) {
        out->is_certain = false;
        out->doubt = DLW_DOUBT_SIGNAL;
        out->reason = dlw_region_print(target->region, "only a signal handler could wake one (%s)",
                                       dlw_signal_names(target, signals));
    } else {
        out->kind = DLW_VERDICT_STALL;
        if (!target->signals_known)
            out->reason = "a core does not tell whether a signal handler could have woken one";
    }
}

static bool is_file_told(const struct dlw_verdict *verdict, const struct dlw_seen_file *file)
{
    for (size_t i = 0; i < verdict->n_cycles; i++)
        for (size_t k = 0; k < verdict->cycles[i].n; k++) {
            const struct dlw_verdict_cycle *cycle = &verdict->cycles[i];
            if (dlw_file_is_waited(&cycle->targets[k]->threads[cycle->threads[k]].wait, file))
                return true;
        }
    return false;
}

/* One circle for each file. */
static void find_file_cycles(struct dlw_world *view, const bool *is_dead, bool *is_in,
                             struct dlw_verdict *out)
{
    for (uint32_t id = 1; id <= view->target->n_threads; id++) {
        const struct dlw_seen_file *file = dlw_world_thread(view, id)->wait.file;
        uint32_t *ids;
        if (!file || !is_dead[id] || is_in[id] || is_file_told(out, file))
            continue;
        size_t n = dlw_file_circle(view, id, is_dead, &ids);
        if (n)
            add_cycle(view, ids, n, is_in, out);
    }
}

static size_t count_living(const struct dlw_target *target)
{
    size_t n = 0;
    for (size_t i = 0; i < target->n_threads; i++)
        n += !target->threads[i].is_ended;
    return n;
}

static void find_dead(struct dlw_world *view, size_t n_all, bool *is_in, struct dlw_verdict *out)
{
    struct dlw_target *target = view->target;
    uint32_t *dead = dlw_region_alloc(target->region, (n_all + 1) * sizeof *dead);
    bool *is_dead = dlw_region_alloc(target->region, n_all + 1);
    size_t n_own = 0;
    view->any_holder = true;
    struct dlw_live_view world = dlw_world_view(view);
    int n = dlw_waits_reduce(&world, &scratch, dead, (uint32_t)n_all);
    for (int i = 0; i < n; i++)
        is_dead[dead[i]] = true;
    find_file_cycles(view, is_dead, is_in, out);
    for (size_t id = 1; id <= target->n_threads; id++) {
        n_own += is_dead[id];
        out->n_stuck += is_dead[id] && !is_in[id];
    }
    if (n_own && n_own == count_living(target) && !out->n_cycles)
        judge_stall(target, out);
}

void dlw_verdict_find(struct dlw_target *target, struct dlw_verdict *out)
{
    struct dlw_world view = {.target = target};
    size_t n_all = dlw_world_count(&view);
    bool *is_in = dlw_region_alloc(target->region, n_all + 1);
    *out = (struct dlw_verdict){.is_certain = true};
    find_cycles(&view, is_in, out);
    find_queues(target, out);
    find_dead(&view, n_all, is_in, out);
    if (out->kind != DLW_VERDICT_STALL)
        find_loops(target, is_in, out);
    if (out->n_cycles)
        out->kind = DLW_VERDICT_DEADLOCK;
    else if (out->kind == DLW_VERDICT_NOTHING && (out->n_queues || out->n_loops))
        out->kind = DLW_VERDICT_LONG_WAIT;
}

const char *dlw_verdict_word(enum dlw_verdict_kind kind)
{
    static const char *const words[] = {"nothing", "deadlock", "stall", "long-wait"};
    return words[kind];
}
