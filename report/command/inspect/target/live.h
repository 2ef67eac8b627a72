/* A live process: sampled, stopped for moments, and looked at again. */
#ifndef DLW_COMMAND_INSPECT_TARGET_LIVE_H
#define DLW_COMMAND_INSPECT_TARGET_LIVE_H

#include "report/command/inspect/target/target.h"

/* Says why and returns false where nothing can be had at all. */
bool dlw_live_open(struct dlw_target *target, struct dlw_doc *doc, uint32_t pid);
/* Two samples of all threads, some time apart, then a copy of those that may be stopped: waiting
 * in a futex, or busy all the time; with `all`, every one. */
void dlw_live_sample(struct dlw_target *target, struct dlw_doc *doc, bool all);
/*
 * What is read from memory between these two belongs to waits that stood all the time. The first
 * clears stood_still of the threads that are no longer at the same place; the second says how many
 * of the others have run since, and with `final` clears it for them too.
 */
void dlw_live_mark(struct dlw_target *target);
size_t dlw_live_confirm(struct dlw_target *target, bool final);
/* After the last of them: the waits of threads that did not stand still are none, and the others
 * are remembered for the next look. */
void dlw_live_settle(struct dlw_target *target);
/* Has it still a thread that lives? */
bool dlw_live_is_there(struct dlw_target *target);

#endif
