/*
 * When a thread has run its last code of the program's.
 *
 * libc runs a thread's end in this order: its function is left (by return, pthread_exit or
 * cancellation, which unwind it), then the destructors of its thread-local C++ objects, then those
 * of its thread-specific data, in up to four rounds. All of them may take locks, so the record
 * lives until the last has returned. No key of ours tells of that: programs count their keys, and
 * can write to any number. Instead the destructors are wrapped, and after each one it is asked
 * whether another will follow.
 */
#ifndef DLW_WRAP_THREAD_END_H
#define DLW_WRAP_THREAD_END_H

#include "interpose/threads/record.h"

/* `end` is called by a thread after its last code. */
void dlw_end_start(void (*end)(struct dlw_thread *self));
/* The function of the thread was left: it ends here, or after its last destructor. */
void dlw_end_left(struct dlw_thread *self);
/* The calling thread was not begun by us (made by libc, or the main one as it calls pthread_exit),
 * so nobody would call the above. */
void dlw_end_watch_guest(struct dlw_thread *self);
/* That was not so, or is not any more. */
void dlw_end_forget_guest(struct dlw_thread *self);

bool dlw_end_before_fork(void);
void dlw_end_after_fork(bool child);

#endif
