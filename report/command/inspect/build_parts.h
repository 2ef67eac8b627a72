/* What build.c and summary.c share while they make a document. */
#ifndef DLW_COMMAND_INSPECT_BUILD_PARTS_H
#define DLW_COMMAND_INSPECT_BUILD_PARTS_H

#include "report/command/inspect/target/target.h"
#include "report/command/inspect/verdict.h"

struct named;

/* Locks are named anew in each finding and in the document. */
struct lock_list {
    struct dlw_doc_lock **locks;
    size_t n;
};

struct builder {
    struct dlw_target *target;
    struct dlw_doc *doc;
    struct dlw_doc_process *process;
    struct dlw_doc_thread **threads;
    struct named *named;
    struct lock_list own;
};

/* The lock that is waited for, in the list; made when it is new. */
struct dlw_doc_lock *dlw_builder_lock(struct builder *builder, struct lock_list *list,
                                      const struct dlw_seen_wait *wait);
/* The system call that a thread is in. */
const char *dlw_builder_call(struct builder *builder, const struct dlw_seen_thread *thread);

/* Adds what the waits amount to, in sentences. */
void dlw_answer(struct builder *builder, const struct dlw_verdict *verdict);

#endif
