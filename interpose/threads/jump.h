/*
 * A signal handler of the program may leave by longjmp, by an exception, or with its thread, and
 * what it interrupted is never gone on with: a short section of this library with the guard up, a
 * published wait, an entry of the held stack that was just being filled. The frame of the function
 * that raised the guard tells whether that is still there:
 *
 * - On one stack a handler, and libunwind where this library calls it, run further in than that
 *   frame by more than DLW_SIGNAL_FRAME: the kernel saves as much, and so large is a cursor of
 *   libunwind. Who calls from further out comes after a jump.
 * - Who calls from further in may have gone deep after it: then the frame's return address has been
 *   overwritten.
 * - An alternate signal stack is no other place in the program: while it is in use, nothing on the
 *   thread's own stack has been left.
 * - On stacks of the program's own (makecontext) a frame may be left for good or gone back to. Then
 *   nothing is mended, and the thread is said to run unwatched.
 *
 * A jump by longjmp and its kin is seen as it begins, with its target, where libc's buffer is as it
 * was at start (platform.h); all others by the next call of the thread.
 */
#ifndef DLW_THREADS_JUMP_H
#define DLW_THREADS_JUMP_H

#include "interpose/threads/record.h"

#include <stdbool.h>
#include <stdint.h>

/* The guard is up, and the thread calls from `here`: has the section been jumped out of, so that
 * the guard is down now? False also where that can't be known. */
bool dlw_jump_heals(struct dlw_thread *self, uintptr_t here);

/* Does a jump to the stack pointer `target` (0: not known) leave the frame at `frame`? */
bool dlw_jump_leaves(const struct dlw_thread *self, uintptr_t target, uintptr_t frame);
/* The thread is about to jump there: takes the guard back, and entries that were just being filled.
 */
void dlw_jump_begins(struct dlw_thread *self, uintptr_t target);

/* How many sections were left so and mended, and how many threads run unwatched for it. */
uint32_t dlw_jumps_healed(void);
uint32_t dlw_jumps_lost(void);

#endif
