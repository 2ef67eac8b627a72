/* Whether threads of a process can go on by themselves, as far as /proc tells without stopping
 * them. */
#ifndef DLW_COMMAND_INSPECT_ACROSS_ASLEEP_H
#define DLW_COMMAND_INSPECT_ACROSS_ASLEEP_H

#include "report/command/inspect/target/target.h"

/* Is it a wait without limit that only another thread can end: in a futex, or for a file's lock? */
bool dlw_call_is_endless(int machine, const struct dlw_call *call);

/* Every thread of the process is in such a wait. One that may not be asked counts as awake. */
bool dlw_process_is_asleep(struct dlw_region *region, int machine, uint32_t pid);

/* The same of the one thread that numbers itself `inner`. */
bool dlw_thread_is_asleep(struct dlw_region *region, int machine, uint32_t pid, uint32_t inner);

#endif
