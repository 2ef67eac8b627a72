/*
 * The option `avoid`: a thread stays clear of a known deadlock. It has just taken a lock where a
 * role of a known cycle takes its own; if all other roles are played by other threads, with locks
 * that match (graph/instance.h), it gives the lock back before its call returns, waits until that
 * is no longer so, and takes it again.
 *
 * Entering a role is published before the look, both sequentially consistent: of threads that enter
 * at once each sees the others, or is seen. Between those the number of the thread decides: who has
 * the lower one waits (some us) until the other has decided, who has the higher one gives way.
 *
 * A yield waits for the threads that play the other roles; where one of these waits for the
 * yielding thread, by however many steps, it ends at once. It ends after `avoid_limit`, too. Tries
 * and calls with a limit don't yield. A deadlock for which the limit was exhausted three times
 * without a yield that was of use is not avoided any more.
 */
#ifndef DLW_STEER_AVOID_H
#define DLW_STEER_AVOID_H

/* From the constructor, before a rule is learned. */
void dlw_avoid_start(const char *folder);
/* In a forked child: what was counted is the parent's. */
void dlw_avoid_after_fork(void);

#endif
