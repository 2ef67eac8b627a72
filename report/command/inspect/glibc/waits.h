/*
 * What each thread waits for: from the futex call's own arguments, the function that made it, and
 * the object in memory, by the layout of its libc. Every conclusion is checked against the object;
 * what does not fit together is shown as a futex wait of unknown kind.
 */
#ifndef DLW_COMMAND_INSPECT_GLIBC_WAITS_H
#define DLW_COMMAND_INSPECT_GLIBC_WAITS_H

#include "report/command/inspect/target/futex.h"

/* Fills the wait of every thread. May be called again: it begins anew. */
void dlw_waits_read(struct dlw_target *target);

/* Parts of it, one object each (objects.c). All read the target and fill `wait`; false: the memory
 * there is no such object. */
bool dlw_wait_on_mutex(struct dlw_target *target, const struct dlw_futex *futex,
                       struct dlw_seen_wait *wait);
bool dlw_wait_on_rwlock(struct dlw_target *target, const struct dlw_futex *futex,
                        enum dlw_mode mode, struct dlw_seen_wait *wait);
bool dlw_wait_on_condition(struct dlw_target *target, const struct dlw_futex *futex,
                           const struct dlw_seen_thread *thread, struct dlw_seen_wait *wait);
bool dlw_wait_on_semaphore(struct dlw_target *target, const struct dlw_futex *futex,
                           struct dlw_seen_wait *wait);
bool dlw_wait_on_barrier(struct dlw_target *target, const struct dlw_futex *futex,
                         struct dlw_seen_wait *wait);
bool dlw_wait_on_once(struct dlw_target *target, const struct dlw_futex *futex,
                      struct dlw_seen_wait *wait);
bool dlw_wait_on_join(struct dlw_target *target, const struct dlw_futex *futex,
                      struct dlw_seen_wait *wait);
/* Whoever destroys a condition or a barrier waits until all have left it. */
bool dlw_wait_to_destroy(struct dlw_target *target, const struct dlw_futex *futex,
                         enum dlw_lock_kind kind, struct dlw_seen_wait *wait);
bool dlw_wait_on_file(struct dlw_target *target, const struct dlw_futex *futex,
                      struct dlw_seen_wait *wait);
/* A priority-inheriting mutex that its own holder asked for again: the kernel refused, and glibc
 * sleeps on a word of its own stack for ever. */
bool dlw_wait_on_refused_mutex(struct dlw_target *target, const struct dlw_futex *futex,
                               const struct dlw_seen_thread *thread, struct dlw_seen_wait *wait);

/* "stdout" for the lock of that stream; NULL for another's. */
const char *dlw_standard_stream(struct dlw_target *target, uint64_t lock);
/* Words of a mutex's kind, for people: "recursive robust"; NULL where there is none. */
const char *dlw_mutex_attributes(struct dlw_target *target, uint64_t mutex);
void dlw_wait_set_holder(struct dlw_target *target, struct dlw_seen_wait *wait, uint32_t tid);

#endif
