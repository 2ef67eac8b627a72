#include "report/command/inspect/verdict.h"

#include "graph/waits.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* Signals that say that the program has broken; nobody waits to be woken by them. And those that
 * the threads' library keeps for itself. */
static const int no_wakers[] = {SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGSYS, 32, 33};

struct view {
    struct dlw_target *target;
    bool any_holder; /* a wait whose holder is not known may be ended by any thread */
};

static struct dlw_arena scratch;

static const struct dlw_seen_thread *thread_of(const struct view *view, uint32_t id)
{
    return &view->target->threads[id - 1];
}

/* A futex of unknown kind can be ended by any thread of the process, if by nobody else. */
static bool is_private_futex(const struct dlw_seen_wait *wait)
{
    return wait->kind == DLW_WAIT_SYSCALL && wait->word && !wait->is_shared;
}

/* Known to be kept waiting by somebody, who alone or together with others holds it. */
static bool has_holder(const struct dlw_seen_wait *wait)
{
    if (wait->n_holders && wait->kind != DLW_WAIT_SEMAPHORE)
        return true;
    return wait->holder == DLW_HOLDER_THREAD || wait->holder == DLW_HOLDER_GONE;
}

static enum dlw_wait_kind kind_for(const struct view *view, const struct dlw_seen_wait *wait)
{
    bool is_lock = wait->kind != DLW_WAIT_NONE && wait->kind != DLW_WAIT_SYSCALL;
    if (view->any_holder && !wait->is_shared &&
        (is_private_futex(wait) || (is_lock && !has_holder(wait))))
        return DLW_WAIT_SEMAPHORE;
    return wait->kind;
}

static bool wait_of(void *context, uint32_t id, struct dlw_wait *out)
{
    const struct view *view = context;
    const struct dlw_seen_thread *thread = thread_of(view, id);
    if (!thread->stood_still) {
        *out = (struct dlw_wait){0};
        return true;
    }
    *out = (struct dlw_wait){
        .sequence = 1,
        .on = thread->wait.address ? thread->wait.address : thread->wait.word,
        .kind = (uint8_t)kind_for(view, &thread->wait),
        .mode = (uint8_t)thread->wait.mode,
        .timed = thread->wait.is_timed,
    };
    if (thread->wait.is_shared && thread->wait.kind != DLW_WAIT_LOCK)
        out->kind = DLW_WAIT_NONE;
    return true;
}

static int several_owners(const struct dlw_seen_wait *seen, struct dlw_owner *out, uint32_t room)
{
    uint32_t n = 0;
    for (; n < seen->n_holders && n < room; n++)
        out[n] = (struct dlw_owner){.thread = seen->holders[n] + 1,
                                    .mode = (uint8_t)!seen->is_behind,
                                    .ahead = seen->is_behind};
    return (int)n;
}

static int owners_of(void *context, uint32_t id, const struct dlw_wait *wait, struct dlw_owner *out,
                     uint32_t room)
{
    const struct view *view = context;
    const struct dlw_seen_wait *seen = &thread_of(view, id)->wait;
    (void)wait;
    if (!has_holder(seen))
        return view->any_holder ? 0 : -1;
    if (seen->n_holders)
        return several_owners(seen, out, room);
    if (room)
        *out = (struct dlw_owner){
            .thread = seen->holder == DLW_HOLDER_THREAD ? seen->holder_index + 1 : 0,
            .mode = DLW_EXCLUSIVE,
        };
    return 1;
}

static int all_threads(void *context, uint32_t *out, uint32_t room)
{
    const struct view *view = context;
    int n = 0;
    for (size_t i = 0; i < view->target->n_threads; i++) {
        if (view->target->threads[i].is_ended)
            continue;
        if ((uint32_t)n < room)
            out[n] = (uint32_t)i + 1;
        n++;
    }
    return n;
}

static struct dlw_live_view world_of(struct view *view)
{
    return (struct dlw_live_view){view, wait_of, owners_of, all_threads, NULL};
}

static void keep_cycle(struct dlw_target *target, const struct dlw_wait_cycle *found, bool *is_in,
                       struct dlw_verdict *out)
{
    struct dlw_verdict_cycle cycle = {.n = found->length};
    cycle.threads = dlw_region_alloc(target->region, found->length * sizeof *cycle.threads);
    for (uint32_t i = 0; i < found->length; i++) {
        cycle.threads[i] = found->steps[i].thread - 1;
        is_in[cycle.threads[i]] = true;
    }
    cycle.is_gone = found->steps[0].owner.thread == 0;
    out->cycles = dlw_region_grow(target->region, out->cycles, out->n_cycles, sizeof *out->cycles);
    out->cycles[out->n_cycles++] = cycle;
}

static void find_cycles(struct view *view, bool *is_in, struct dlw_verdict *out)
{
    struct dlw_live_view world = world_of(view);
    for (size_t i = 0; i < view->target->n_threads; i++) {
        struct dlw_wait_cycle cycle;
        if (is_in[i] || !dlw_waits_find_cycle(&world, &scratch, (uint32_t)i + 1, &cycle))
            continue;
        keep_cycle(view->target, &cycle, is_in, out);
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

static uint64_t waking_signals(const struct dlw_target *target)
{
    uint64_t signals = target->caught_signals;
    for (size_t i = 0; i < sizeof no_wakers / sizeof *no_wakers; i++)
        signals &= ~(UINT64_C(1) << (no_wakers[i] - 1));
    return signals;
}

static const char *signal_names(struct dlw_target *target, uint64_t signals)
{
    const char *names = "";
    for (int number = 1; number <= 64; number++) {
        if (!(signals >> (number - 1) & 1))
            continue;
        const char *name = sigabbrev_np(number);
        names = name
                    ? dlw_region_print(target->region, "%s%sSIG%s", names, *names ? ", " : "", name)
                    : dlw_region_print(target->region, "%s%ssignal %d", names, *names ? ", " : "",
                                       number);
    }
    return names;
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
    uint64_t signals = waking_signals(target);
    out->is_certain = target->signals_known;
    if (waits_beyond_process(target)) {
        out->reason = "every thread waits without limit; another process could wake one, through "
                      "memory that they share";
    } else if (signals) {
        out->is_certain = false;
        out->doubt = DLW_DOUBT_SIGNAL;
        out->reason = dlw_region_print(target->region, "only a signal handler could wake one (%s)",
                                       signal_names(target, signals));
    } else {
        out->kind = DLW_VERDICT_STALL;
        if (!target->signals_known)
            out->reason = "a core does not tell whether a signal handler could have woken one";
    }
}

static void find_dead(struct view *view, const bool *is_in, struct dlw_verdict *out)
{
    struct dlw_target *target = view->target;
    uint32_t *dead = dlw_region_alloc(target->region, (target->n_threads + 1) * sizeof *dead);
    view->any_holder = true;
    struct dlw_live_view world = world_of(view);
    int n = dlw_waits_reduce(&world, &scratch, dead, (uint32_t)target->n_threads);
    for (int i = 0; i < n; i++)
        out->n_stuck += !is_in[dead[i] - 1];
    if (n > 0 && n == all_threads(view, NULL, 0) && !out->n_cycles)
        judge_stall(target, out);
}

void dlw_verdict_find(struct dlw_target *target, struct dlw_verdict *out)
{
    struct view view = {.target = target};
    bool *is_in = dlw_region_alloc(target->region, target->n_threads + 1);
    *out = (struct dlw_verdict){.is_certain = true};
    find_cycles(&view, is_in, out);
    find_queues(target, out);
    find_dead(&view, is_in, out);
    if (out->n_cycles)
        out->kind = DLW_VERDICT_DEADLOCK;
    else if (out->kind == DLW_VERDICT_NOTHING && out->n_queues)
        out->kind = DLW_VERDICT_LONG_WAIT;
}

const char *dlw_verdict_word(enum dlw_verdict_kind kind)
{
    static const char *const words[] = {"nothing", "deadlock", "stall", "long-wait"};
    return words[kind];
}
