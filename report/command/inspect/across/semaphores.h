/*
 * A semaphore names nobody. Of one that processes share the records of those under libdlwatch.so
 * tell who took its unit, and whether one posted it that had not taken it. It is a lock where one
 * of them has it, none is left, and nobody was seen to use it otherwise; its holder is told only
 * while all who have the memory wait without limit, since any of them could post it. Certain where
 * all that can be seen were asked, and one saw it made with one unit.
 */
#ifndef DLW_COMMAND_INSPECT_ACROSS_SEMAPHORES_H
#define DLW_COMMAND_INSPECT_ACROSS_SEMAPHORES_H

#include "report/command/inspect/target/target.h"

/* Does it wait without limit for one that other processes may have taken? */
bool dlw_semaphore_is_wanted(const struct dlw_target *target, const struct dlw_seen_wait *wait);

/* After waits and records of all of the party were read: those who wait for one get its taker. */
void dlw_semaphores_trace(struct dlw_target *const *party, size_t n);

#endif
