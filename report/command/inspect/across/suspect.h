/*
 * Cheap signs of a deadlock that only a look at several processes, or at files, can tell: nobody is
 * stopped for it and no symbol read. What it finds is a suspicion; the look decides.
 */
#ifndef DLW_COMMAND_INSPECT_ACROSS_SUSPECT_H
#define DLW_COMMAND_INSPECT_ACROSS_SUSPECT_H

#include "report/command/inspect/target/target.h"

/*
 * Does a thread of the process wait without limit for a lock that is shared with others, or a
 * file's, and lead the holders back to it, or has its holder ended? 0: none does. Else a mix of who
 * they are and how often they have run, so that the same suspicion is the same number while all
 * stand still.
 */
uint64_t dlw_suspect(struct dlw_region *region, uint32_t pid);

#endif
