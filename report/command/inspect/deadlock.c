/* A circle of waits as a finding; its threads may be of several processes. */
#include "report/command/inspect/across/mappers.h"
#include "report/command/inspect/build_parts.h"
#include "report/command/inspect/own/preloaded.h"

#include <string.h>

/* Mode and stack of what a thread holds, where they were recorded. */
static void add_evidence(struct builder *builder, size_t holder, const struct dlw_seen_wait *wait,
                         struct dlw_doc_hold *out)
{
    const struct dlw_seen_thread *thread = &builder->target->threads[holder];
    for (size_t i = 0; i < thread->n_holds; i++) {
        const struct dlw_seen_hold *hold = &thread->holds[i];
        if (hold->lock != wait->address || strcmp(hold->object, wait->object))
            continue;
        out->mode = hold->mode;
        out->stack = dlw_builder_hold_stack(builder, thread, hold);
    }
}

/* The same of a thread of another process, which has the lock at another address. */
static void add_evidence_across(struct builder *own, const struct dlw_seen_wait *wait,
                                struct builder *other, size_t holder, struct dlw_doc_hold *out)
{
    const struct dlw_seen_thread *thread = &other->target->threads[holder];
    const struct dlw_seen_hold *hold = dlw_shared_hold(own->target, wait, other->target, thread);
    if (!hold)
        return;
    out->mode = hold->mode;
    out->stack = dlw_builder_hold_stack(other, thread, hold);
}

static bool is_in_cycle(const struct dlw_doc_finding *finding, uint32_t tid)
{
    for (size_t i = 0; i < finding->n_cycle; i++)
        if (finding->cycle[i].thread && finding->cycle[i].thread->tid == tid)
            return true;
    return false;
}

static const struct dlw_seen_thread *thread_in(const struct dlw_verdict_cycle *cycle, size_t i)
{
    return &cycle->targets[i]->threads[cycle->threads[i]];
}

/* The library in the process may have said so already, or a look at the other process. */
static bool is_told(const struct builder *builder, const struct dlw_verdict_cycle *cycle)
{
    for (size_t i = 0; i < builder->doc->n_findings; i++) {
        const struct dlw_doc_finding *finding = builder->doc->findings[i];
        size_t n = 0;
        if (finding->kind != DLW_DEADLOCK || finding->n_cycle != cycle->n)
            continue;
        while (n < cycle->n && is_in_cycle(finding, thread_in(cycle, n)->tid))
            n++;
        if (n == cycle->n)
            return true;
    }
    return false;
}

/* In memory of its own a process knows all who could hold a lock; what others share is traced. */
static void add_gone(struct builder *builder, const struct dlw_seen_wait *wait,
                     struct dlw_doc_finding *finding)
{
    struct dlw_region *region = &builder->doc->region;
    finding->certain = !wait->doubt;
    finding->gone = wait->stayed_in ? "its holder stayed in the parent when this process was forked"
                    : wait->is_shared ? "its holder has ended"
                                      : "its holder no longer exists";
    if (wait->stayed_in) {
        finding->reason = dlw_region_print(region,
                                           "its holder, thread %u, no longer exists: it stayed in "
                                           "the parent, process %u, when this process was forked",
                                           wait->holder_tid, wait->stayed_in);
        return;
    }
    finding->reason =
        wait->is_shared
            ? dlw_region_print(region, "its holder, process or thread %u, has ended%s%s",
                               wait->holder_tid, wait->doubt ? "; but " : "",
                               wait->doubt ? wait->doubt : "")
            : dlw_region_print(region, "its holder, thread %u, no longer exists", wait->holder_tid);
}

/* Each target has its own; a peer's is made when it is first in a finding. */
static struct builder *builder_of(struct builder *builder, struct dlw_target *target)
{
    size_t at = 0;
    if (target == builder->target)
        return builder;
    if (!builder->peers)
        builder->peers = dlw_region_alloc(&builder->doc->region,
                                          builder->target->n_peers * sizeof *builder->peers);
    while (builder->target->peers[at] != target)
        at++;
    struct builder *peer = &builder->peers[at];
    if (peer->target)
        return peer;
    *peer = (struct builder){.target = target, .doc = builder->doc};
    peer->process = dlw_doc_find_living(builder->doc, target->pid);
    dlw_builder_begin(peer);
    return peer;
}

/* Why it is certain none the less, or what is to be known besides. */
static const char *reason_of(const struct dlw_verdict_cycle *cycle)
{
    const char *reason = cycle->doubt;
    for (size_t i = 0; i < cycle->n && !cycle->doubt; i++) {
        const struct dlw_seen_wait *wait = &thread_in(cycle, i)->wait;
        if (wait->is_behind)
            reason = "a writer that waits in front of the reader keeps it out";
        else if (wait->is_refused)
            reason = "the kernel refused the wait for the priority-inheriting mutex that closes "
                     "the circle; which one it is could not be read";
        else if (wait->file && cycle->n > 1)
            reason = "a file's lock belongs to a process: that the thread shown took it is likely, "
                     "that none of the process's threads can let it go is certain";
    }
    return reason;
}

static void add_step(struct builder *builder, const struct dlw_verdict_cycle *cycle, size_t i,
                     struct lock_list *list, struct dlw_doc_finding *finding)
{
    struct builder *own = builder_of(builder, cycle->targets[i]);
    struct builder *other = builder_of(builder, cycle->targets[(i + 1) % cycle->n]);
    const struct dlw_seen_thread *thread = thread_in(cycle, i);
    struct dlw_doc_step *step = &finding->cycle[i];
    struct dlw_doc_step *next = &finding->cycle[(i + 1) % cycle->n];
    struct lock_list apart = {0}; /* addresses of another process are no names here */
    struct dlw_doc_lock *lock =
        dlw_builder_lock(own, own == builder && !builder->peers ? list : &apart, &thread->wait);
    if (thread->wait.kind == DLW_WAIT_JOIN && thread->wait.is_shared) /* of a child */
        lock->thread = other->threads[cycle->threads[(i + 1) % cycle->n]];
    step->thread = own->threads[cycle->threads[i]];
    step->wants = (struct dlw_doc_hold){.lock = lock, .mode = thread->wait.mode};
    step->wants.stack = dlw_builder_stack(own, thread);
    if (!lock->sort)
        lock->sort = dlw_python_sort(&builder->doc->region, &step->wants.stack);
    next->holds = (struct dlw_doc_hold){.lock = lock, .mode = DLW_EXCLUSIVE};
    if (own == other)
        add_evidence(own, cycle->threads[(i + 1) % cycle->n], &thread->wait, &next->holds);
    else
        add_evidence_across(own, &thread->wait, other, cycle->threads[(i + 1) % cycle->n],
                            &next->holds);
}

void dlw_builder_deadlock(struct builder *builder, const struct dlw_verdict_cycle *cycle)
{
    if (is_told(builder, cycle))
        return;
    struct dlw_doc_finding *finding = dlw_doc_add_finding(builder->doc, DLW_DEADLOCK);
    struct lock_list list = {0};
    finding->certain = !cycle->doubt;
    finding->process = builder->process;
    finding->n_cycle = cycle->n;
    finding->cycle = dlw_region_alloc(&builder->doc->region, cycle->n * sizeof *finding->cycle);
    for (size_t i = 0; i < cycle->n; i++)
        builder_of(builder, cycle->targets[i]);
    for (size_t i = 0; i < cycle->n; i++)
        add_step(builder, cycle, i, &list, finding);
    for (size_t i = 0; i < cycle->n; i++) {
        dlw_doc_name_lock(builder->doc, finding, finding->cycle[i].holds.lock);
        dlw_doc_name_lock(builder->doc, finding, finding->cycle[i].wants.lock);
    }
    finding->reason = reason_of(cycle);
    if (cycle->is_gone)
        add_gone(builder, &thread_in(cycle, 0)->wait, finding);
}
