/* What build.c and those beside it share while they make a document. */
#ifndef DLW_COMMAND_INSPECT_BUILD_PARTS_H
#define DLW_COMMAND_INSPECT_BUILD_PARTS_H

#include "report/command/inspect/target/target.h"
#include "report/command/inspect/verdict.h"

struct named; /* of build_stack.c */

/* Locks are named anew in each finding and in the document. */
struct lock_list {
    struct dlw_doc_lock **locks;
    struct lock_key {
        const char *object;
        uint64_t address;
        uint64_t device, inode; /* of a file, which has no address */
    } * keys;
    size_t n;
};

struct builder {
    struct dlw_target *target;
    struct dlw_doc *doc;
    struct dlw_doc_process *process;
    struct dlw_doc_thread **threads;
    struct named *named;
    struct lock_list own;
    size_t first_state;    /* of its threads, in the document */
    struct builder *peers; /* of other processes in a circle; NULL: none is */
};

/* The lock that is waited for, in the list; made when it is new. */
struct dlw_doc_lock *dlw_builder_lock(struct builder *builder, struct lock_list *list,
                                      const struct dlw_seen_wait *wait);
/* The image that the lock lies in, and its name where it is a variable. */
void dlw_builder_locate(struct builder *builder, struct dlw_doc_lock *lock);
/* Process and threads, in the document. The builder has target, document, and the process where the
 * document knows it already. */
void dlw_builder_begin(struct builder *builder);
/* The stack of a thread, and that where it took what it holds, by the record of it (or empty). */
struct dlw_stack dlw_builder_stack(struct builder *builder, const struct dlw_seen_thread *thread);
struct dlw_stack dlw_builder_hold_stack(struct builder *builder,
                                        const struct dlw_seen_thread *thread,
                                        const struct dlw_seen_hold *hold);
/* Places are named once for all stacks; this frees what is known of them. */
void dlw_builder_forget_places(struct builder *builder);
/* Adds the finding, unless one says the same. */
void dlw_builder_deadlock(struct builder *builder, const struct dlw_verdict_cycle *cycle);
/* What is to be said of a thread's wait beside what its state says. NULL: nothing. */
const char *dlw_builder_note(struct builder *builder, const struct dlw_seen_thread *thread);
/* The system call that a thread is in. */
const char *dlw_builder_call(struct builder *builder, const struct dlw_seen_thread *thread);

/* Do the functions on the stack tell whose futex it is, which nothing else says? Then `out` is the
 * wait for it... */
bool dlw_builder_is_futex(const struct dlw_seen_wait *wait, const struct dlw_stack *stack,
                          struct dlw_seen_wait *out);
/* ...and this gives it its name, or notes that where it is a variable. */
void dlw_builder_name_futex(struct dlw_doc_state *state);
/* Notes whose locks some of them wait for that name no holder, if any do. */
void dlw_builder_say_unowned(struct builder *builder, const struct dlw_doc_state *states, size_t n);

/* Adds what the waits amount to, in sentences. */
void dlw_answer(struct builder *builder, const struct dlw_verdict *verdict);

#endif
