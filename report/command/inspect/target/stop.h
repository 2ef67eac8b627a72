/*
 * Stops one thread for as long as it takes to copy its registers and its stack, and lets it go.
 *
 * PTRACE_SEIZE, so the thread gets no signal, stays in a group stop if it is in one, and is let go
 * by the kernel if we die in between. A futex wait that is interrupted so is entered again by the
 * kernel with the same arguments; epoll_wait and its like would return EINTR to the program, which
 * is why only waits in a futex are stopped unless the user asks for more.
 */
#ifndef DLW_COMMAND_INSPECT_TARGET_STOP_H
#define DLW_COMMAND_INSPECT_TARGET_STOP_H

#include "report/command/inspect/target/target.h"

/* Called while the thread stands, with its number; for tests. NULL. */
extern void (*dlw_stop_hook)(uint32_t tid);

/* 0, or an errno: EPERM (not ours, or traced by another), ESRCH (ended), ETIMEDOUT (does not
 * stop). Fills registers, call and stack. */
int dlw_stop_and_copy(struct dlw_target *target, struct dlw_seen_thread *thread);

#endif
