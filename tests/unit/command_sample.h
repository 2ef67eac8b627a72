/* Documents made by hand, for the tests of the command. */
#ifndef DLW_TESTS_COMMAND_SAMPLE_H
#define DLW_TESTS_COMMAND_SAMPLE_H

#include "report/command/document/model.h"

#include <string.h>

struct sample_place {
    const char *function, *file;
    unsigned line;
};

static inline struct dlw_stack sample_stack(struct dlw_doc *doc, const struct sample_place *places,
                                            size_t n)
{
    struct dlw_stack stack = {.n = n};
    stack.frames = dlw_region_alloc(&doc->region, n * sizeof(*stack.frames));
    for (size_t i = 0; i < n; i++) {
        stack.frames[i].function = places[i].function;
        stack.frames[i].file = places[i].file;
        stack.frames[i].line = places[i].line;
        stack.frames[i].module = "/bin/bank";
        stack.frames[i].offset = places[i].line;
        stack.frames[i].pc = 0x1000 + places[i].line;
    }
    return stack;
}

#define SAMPLE_STACK(doc, ...)                                                                     \
    sample_stack((doc), (struct sample_place[]){__VA_ARGS__},                                      \
                 sizeof((struct sample_place[]){__VA_ARGS__}) / sizeof(struct sample_place))

static inline struct dlw_doc_lock *sample_lock(struct dlw_doc *doc, struct dlw_doc_finding *finding,
                                               const char *kind, const char *name)
{
    struct dlw_doc_lock *lock = dlw_region_alloc(&doc->region, sizeof(*lock));
    lock->kind = kind;
    lock->name = name;
    lock->address = 0x4000;
    dlw_doc_name_lock(doc, finding, lock);
    return lock;
}

static inline struct dlw_doc_thread *sample_thread(struct dlw_doc *doc, uint32_t id,
                                                   const char *name)
{
    struct dlw_doc_thread *thread = dlw_region_alloc(&doc->region, sizeof(*thread));
    thread->id = id;
    thread->tid = 100 + id;
    thread->name = name;
    thread->process = doc->n_processes ? doc->processes[0] : NULL;
    return thread;
}

/* worker-1 takes first, then second; worker-2 the other way round. Lines begin at `line`. */
static inline struct dlw_doc_finding *sample_cycle(struct dlw_doc *doc, enum dlw_kind kind,
                                                   const char *function, unsigned line)
{
    if (!doc->n_processes) {
        struct dlw_doc_process *process = dlw_doc_add_process(doc);
        process->pid = 17;
        process->exe = "/bin/bank";
        process->ended = "exit";
    }
    struct dlw_doc_finding *finding = dlw_doc_add_finding(doc, kind);
    struct dlw_doc_lock *first = sample_lock(doc, finding, "mutex", "first");
    struct dlw_doc_lock *second = sample_lock(doc, finding, "mutex", "second+40");
    finding->process = doc->processes[0];
    finding->certain = kind == DLW_DEADLOCK;
    finding->n_cycle = 2;
    finding->cycle = dlw_region_alloc(&doc->region, 2 * sizeof(*finding->cycle));
    finding->cycle[0].thread = sample_thread(doc, 2, "worker-1");
    finding->cycle[0].holds.lock = finding->cycle[1].wants.lock = first;
    finding->cycle[1].thread = sample_thread(doc, 3, "worker-2");
    finding->cycle[1].holds.lock = finding->cycle[0].wants.lock = second;
    finding->cycle[0].holds.stack =
        SAMPLE_STACK(doc, {function, "bank.c", line}, {"main", "bank.c", 90});
    finding->cycle[0].wants.stack =
        SAMPLE_STACK(doc, {function, "bank.c", line + 1}, {"main", "bank.c", 90});
    finding->cycle[1].holds.stack =
        SAMPLE_STACK(doc, {"back", "bank.c", 70}, {"main", "bank.c", 91});
    finding->cycle[1].wants.stack =
        SAMPLE_STACK(doc, {"back", "bank.c", 71}, {"main", "bank.c", 91});
    return finding;
}

#endif
