/* What the waits amount to, in sentences: the first thing that people read. */
#include "report/command/document/words.h"
#include "report/command/inspect/build_parts.h"

#include <stdio.h>
#include <string.h>

static const char *doing(struct builder *builder, size_t index)
{
    const struct dlw_seen_thread *thread = &builder->target->threads[index];
    if (thread->wait.kind == DLW_WAIT_NONE)
        return "runs";
    if (thread->wait.kind == DLW_WAIT_SYSCALL)
        return dlw_region_print(&builder->doc->region, "is in the system call %s",
                                dlw_builder_call(builder, thread));
    return dlw_region_print(&builder->doc->region, "itself waits in a %s",
                            dlw_wait_word(thread->wait.kind));
}

static const char *queue_text(struct builder *builder, const struct dlw_verdict_queue *queue)
{
    const struct dlw_seen_wait *first = NULL;
    const struct dlw_doc_thread *holder = builder->threads[queue->holder];
    struct dlw_region *region = &builder->doc->region;
    for (size_t i = 0; i < queue->n && !first; i++) {
        const struct dlw_seen_wait *wait = &builder->target->threads[queue->waiters[i]].wait;
        if (wait->holder_index == queue->holder && wait->kind != DLW_WAIT_JOIN)
            first = wait;
    }
    const char *title = dlw_thread_title(region, holder);
    const char *what =
        first ? dlw_lock_title(region, dlw_builder_lock(builder, &builder->own, first)) : "its end";
    return dlw_region_print(region, "a long wait: %zu thread%s for %s of %s%s%u%s, which %s",
                            queue->n, queue->n == 1 ? " waits" : "s wait", what, title,
                            holder->name ? " (tid " : " [", holder->tid, holder->name ? ")" : "]",
                            doing(builder, queue->holder));
}

/* "audit (tid 4711)", "Thread-2 (serve, tid 4711)" */
static const char *numbered(struct builder *builder, uint32_t index)
{
    struct dlw_region *region = &builder->doc->region;
    const struct dlw_doc_thread *thread = builder->threads[index];
    const char *title = dlw_thread_title(region, thread);
    size_t n = strlen(title);
    return n && title[n - 1] == ')'
               ? dlw_region_print(region, "%.*s, tid %u)", (int)n - 1, title, thread->tid)
               : dlw_region_print(region, "%s (tid %u)", title, thread->tid);
}

/* "audit for accounts_lock, which transfer holds; transfer for audit_lock, which audit holds" */
static const char *loop_text(struct builder *builder, const struct dlw_verdict_cycle *loop)
{
    struct dlw_region *region = &builder->doc->region;
    const char *text = "";
    for (size_t i = 0; i < loop->n; i++) {
        const struct dlw_seen_wait *wait = &builder->target->threads[loop->threads[i]].wait;
        text = dlw_region_print(
            region, "%s%s%s for %s, which %s holds", text, *text ? "; " : "",
            numbered(builder, loop->threads[i]),
            wait->kind == DLW_WAIT_JOIN
                ? "its end"
                : dlw_lock_title(region, dlw_builder_lock(builder, &builder->own, wait)),
            numbered(builder, loop->threads[(i + 1) % loop->n]));
    }
    return text;
}

static void add_loop(struct builder *builder, const struct dlw_verdict_cycle *loop)
{
    dlw_doc_answer(builder->doc,
                   "%zu threads wait for each other: %s. They go on only if some other thread "
                   "releases one of these, as semaphores and locks of Python's allow",
                   loop->n, loop_text(builder, loop));
}

/* Names of what is waited for whose holders can't be told; *n how many threads wait for them. */
static const char *nameless(struct builder *builder, size_t *n)
{
    enum { MOST = 4 };
    const struct dlw_target *target = builder->target;
    struct dlw_region *region = &builder->doc->region;
    const struct dlw_doc_lock *named[MOST + 1];
    const char *names = "";
    size_t n_named = 0;
    *n = 0;
    for (size_t i = 0; i < target->n_threads; i++) {
        const struct dlw_seen_wait *wait = &target->threads[i].wait;
        if (wait->kind != DLW_WAIT_SEMAPHORE || !wait->object)
            continue;
        const struct dlw_doc_lock *lock = dlw_builder_lock(builder, &builder->own, wait);
        size_t k = 0;
        ++*n;
        while (k < n_named && named[k] != lock)
            k++;
        if (k < n_named || n_named > MOST)
            continue;
        named[n_named++] = lock;
        names = dlw_region_print(region, "%s%s%s", names, *names ? ", " : "",
                                 n_named > MOST ? "and others" : dlw_lock_title(region, lock));
    }
    return names;
}

static void add_stop_note(struct builder *builder)
{
    const struct dlw_target *target = builder->target;
    if (target->n_stopped)
        dlw_doc_note(builder->doc, "%zu thread%s for at most %.2f ms; all go on", target->n_stopped,
                     target->n_stopped == 1 ? " was stopped," : "s were stopped, each",
                     target->longest_stop * 1000);
}

/* What the threads do, by kinds: "1 runs, 3 are in system calls, 8 wait for conditions". */
static void add_counts(struct builder *builder)
{
    static const uint8_t order[] = {
        DLW_WAIT_NONE,    DLW_WAIT_SYSCALL, DLW_WAIT_CONDITION, DLW_WAIT_SEMAPHORE, DLW_WAIT_JOIN,
        DLW_WAIT_BARRIER, DLW_WAIT_LOCK,    DLW_WAIT_SPIN,      DLW_WAIT_FILE,      DLW_WAIT_FUTEX,
        DLW_WAIT_ONCE,    DLW_WAIT_GUARD,   DLW_WAIT_GIL,       DLW_WAIT_DESTROY,
    };
    _Static_assert(sizeof(order) == DLW_N_WAIT_KINDS, "each kind of wait is counted");
    const struct dlw_target *target = builder->target;
    const struct dlw_doc_state *states = builder->doc->threads + builder->first_state;
    const char *text = "";
    size_t all = 0;
    for (size_t k = 0; k < sizeof(order); k++) {
        const struct dlw_wait_words *words = dlw_wait_words(order[k]);
        size_t n = 0;
        for (size_t i = 0; i < target->n_threads; i++)
            n += !target->threads[i].is_ended && states[i].waits == order[k];
        all += n;
        if (n)
            text = dlw_region_print(&builder->doc->region, "%s%s%zu %s", text, *text ? ", " : "", n,
                                    n == 1 ? words->one : words->many);
    }
    const char *exe = target->exe ? target->exe : "?";
    dlw_doc_answer(builder->doc, "process %u, %s, %zu thread%s: %s", target->pid, exe, all,
                   all == 1 ? "" : "s", text);
}

static void add_nothing(struct builder *builder)
{
    const struct dlw_target *target = builder->target;
    size_t n = 0, n_semaphores;
    const char *names = nameless(builder, &n_semaphores);
    for (size_t i = 0; i < target->n_threads; i++)
        n += target->threads[i].wait.kind == DLW_WAIT_SYSCALL && target->threads[i].wait.word;
    if (n_semaphores && !target->records)
        dlw_doc_answer(builder->doc,
                       "%zu thread%s for semaphores (locks of Python's are such), which don't say "
                       "who holds them: %s. The stacks below tell where; a process that was "
                       "started under libdlwatch.so tells the holders too",
                       n_semaphores, n_semaphores == 1 ? " waits" : "s wait", names);
    else if (n)
        dlw_doc_answer(builder->doc,
                       "no thread is known to wait for another; %zu wait%s in a futex of which "
                       "can't be told who holds it: the stacks below tell what for",
                       n, n == 1 ? "s" : "");
    else
        dlw_doc_answer(builder->doc, "no thread waits for a lock that another is known to hold");
}

static bool all_others_sleep(const struct dlw_target *target, size_t index)
{
    for (size_t i = 0; i < target->n_threads; i++)
        if (i != index && !target->threads[i].is_ended && !target->threads[i].stood_still)
            return false;
    return true;
}

/* A thread that runs may be about to wake it: only where all sleep it is past doubt. */
static void add_missed(struct builder *builder)
{
    const struct dlw_target *target = builder->target;
    struct dlw_region *region = &builder->doc->region;
    for (size_t i = 0; i < target->n_threads; i++) {
        const struct dlw_seen_thread *thread = &target->threads[i];
        if (!thread->wait.is_missed)
            continue;
        const char *lock =
            dlw_lock_title(region, dlw_builder_lock(builder, &builder->own, &thread->wait));
        dlw_doc_answer(builder->doc,
                       "a lost wake-up: %s sleeps for %s, which has changed since it fell asleep%s",
                       dlw_thread_title(region, builder->threads[i]), lock,
                       all_others_sleep(target, i) ? "; nobody is about to wake it"
                                                   : " (or the wake-up is still under way)");
    }
}

void dlw_answer(struct builder *builder, const struct dlw_verdict *verdict)
{
    enum { MOST = 5 };
    if (verdict->doubt == DLW_DOUBT_SIGNAL)
        dlw_doc_answer(builder->doc, "every thread waits without limit; %s", verdict->reason);
    else if (verdict->kind != DLW_VERDICT_STALL && verdict->reason)
        dlw_doc_answer(builder->doc, "%s", verdict->reason);
    if (verdict->n_cycles && verdict->n_stuck)
        dlw_doc_answer(builder->doc, "%zu more thread%s go on because of that", verdict->n_stuck,
                       verdict->n_stuck == 1 ? " can't" : "s can't");
    for (size_t i = 0; i < verdict->n_loops && i < MOST; i++)
        add_loop(builder, &verdict->loops[i]);
    add_missed(builder);
    for (size_t i = 0; i < verdict->n_queues && i < MOST; i++)
        dlw_doc_answer(builder->doc, "%s", queue_text(builder, &verdict->queues[i]));
    if (verdict->kind == DLW_VERDICT_NOTHING && !verdict->reason)
        add_nothing(builder);
    add_counts(builder);
    add_stop_note(builder);
}
