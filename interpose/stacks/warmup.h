/*
 * The first step of libunwind: it starts up there, and opens a pipe to test addresses of its own
 * process with. All reads here are answered by us, so the pipe is never used; but in the program's
 * first free numbers it would shift those that the program counts on.
 *
 * Called once, in the constructor.
 */
#ifndef DLW_STACKS_WARMUP_H
#define DLW_STACKS_WARMUP_H

/* Calls `first_step` and closes the pipe it leaves behind. One that can't be told for certain
 * (other threads open files at this moment) stays. */
void dlw_warmup(void (*first_step)(void));

#endif
