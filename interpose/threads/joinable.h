/* Threads that somebody may still join: by handle, over their end until then. */
#ifndef DLW_THREADS_JOINABLE_H
#define DLW_THREADS_JOINABLE_H

#include "interpose/threads/record.h"

/* What is left of a thread that has ended, for the one who joins it. */
struct dlw_ended {
    uint32_t id, tid;
    uint32_t parent, created, start; /* for the journal */
    char name[DLW_PYTHON_NAME];
    bool is_pythons;     /* `threading` calls it so */
    dlw_segment segment; /* its last; 0: not known */
    uint32_t n, room;
    struct dlw_was_taken *taken; /* n of them; NULL: none */
};

/* By the thread itself, as it begins. Returns what is left of a thread of the same handle that
 * nobody joined: it is the caller's to drop, the segment's reference among it. */
struct dlw_ended dlw_joinable_add(struct dlw_thread *thread);
/* A cancellation of a thread that has not noted itself yet: nothing where it has, or has ended. */
void dlw_joinable_note_cancel(pthread_t handle);
/* By a detached thread as it begins: was it cancelled before? */
void dlw_joinable_claim_cancel(struct dlw_thread *thread);
/* By the thread at its end. The segment's reference passes to the joiner's entry; false when nobody
 * will join. */
bool dlw_joinable_ends(struct dlw_thread *self);
/* Takes the entry out: its table is the caller's to drop, its reference the caller's to give back.
 */
struct dlw_ended dlw_joinable_remove(pthread_t handle);
/* All but the reference to its last segment. */
void dlw_ended_drop(const struct dlw_ended *ended);
/* A thread that may still be joined: its id, and its tid (0 once it has ended). */
bool dlw_joinable_find(pthread_t handle, uint32_t *id, uint32_t *tid);

/* False: not to be had. */
bool dlw_joinables_before_fork(void);
void dlw_joinables_after_fork(bool child);

#endif
