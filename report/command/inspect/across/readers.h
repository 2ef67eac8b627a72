/*
 * A read-write lock counts its readers and names none. The records of processes under libdlwatch.so
 * name theirs. Of a lock in shared memory they are believed where those of all processes together
 * name as many as the lock counts; certain only where every process that has the memory was asked.
 */
#ifndef DLW_COMMAND_INSPECT_ACROSS_READERS_H
#define DLW_COMMAND_INSPECT_ACROSS_READERS_H

#include "report/command/inspect/target/target.h"

/* Does it wait as a writer for readers that may be of other processes? */
bool dlw_readers_are_wanted(const struct dlw_target *target, const struct dlw_seen_wait *wait);

/* After waits and records of all of the party were read: those who wait for readers get them. */
void dlw_readers_trace(struct dlw_target *const *party, size_t n);

#endif
