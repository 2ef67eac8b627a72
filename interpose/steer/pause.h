/*
 * Steers threads into a deadlock that is known to be possible (`dlwatch confirm`): who comes to the
 * second place of a role is kept waiting there, before the real call, until different threads stand
 * in all roles of the cycle, each asking for what the next one holds. Then all go on, and the
 * deadlock closes by itself. The idea of pausing so is Joshi, Park, Sen and Naik's (DeadlockFuzzer,
 * PLDI 2009).
 *
 * A paused thread has asked for nothing yet, so it is in no wait and no stall. It holds no lock of
 * ours, its signals come, errno is as it was, and its pause is bounded: by `pause` ms, by half of
 * that after each that was in vain in this process, until the role is given up; and it ends as soon
 * as nobody is left who could come, since all others are paused too or wait without limit.
 *
 * Settings in the file of roles: `pause` (ms); `leader`, a role's number from 1 on: in the others
 * nobody is paused (0: in all); `skip`: so many arrivals at each role are let pass first; `strict`:
 * only with the very locks of the finding, where these are variables; `progress`: a file
 * (report/emit/steering.h).
 */
#ifndef DLW_STEER_PAUSE_H
#define DLW_STEER_PAUSE_H

#include "interpose/threads/record.h"

/* From the constructor. What is wrong with the file is said in a line, and nothing is steered. */
void dlw_pause_start(const char *path);
void dlw_pause_after_fork(void);

/*
 * For wrappers: the wait is published, the real call comes next. A circle with a semaphore in it is
 * told only when every thread of the process sleeps; of one that was steered together it is enough
 * that all its own threads do, and go on doing so for a while.
 */
void dlw_pause_met(struct dlw_thread *self);
static inline void dlw_pause_closes(struct dlw_thread *self)
{
    if (__builtin_expect(self->pause.met, 0))
        dlw_pause_met(self);
}

#endif
