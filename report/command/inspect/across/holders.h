/*
 * A lock in shared memory names its holder by a number. Whose it is, and whether that thread still
 * lives, is told by /proc: only of the processes that have the memory, and only where all of them
 * can be seen.
 */
#ifndef DLW_COMMAND_INSPECT_ACROSS_HOLDERS_H
#define DLW_COMMAND_INSPECT_ACROSS_HOLDERS_H

#include "report/command/inspect/target/target.h"

/* After the waits were read: each holder outside gets its process, or is gone. */
void dlw_holders_trace(struct dlw_target *target);

#endif
