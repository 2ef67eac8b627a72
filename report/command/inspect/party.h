/*
 * A process and those that it waits for. Another one is looked at only where what it holds for us
 * is held by somebody who sleeps without limit too: then both may be parts of one circle, and the
 * waits of all are read again, together, and must stand from the first mark to the last
 * confirmation.
 */
#ifndef DLW_COMMAND_INSPECT_PARTY_H
#define DLW_COMMAND_INSPECT_PARTY_H

#include "report/command/inspect/target/target.h"

/* Reads what a process shows by itself: its stacks, what runs in it, its records. False: its
 * modules can't be read, and the document says why. */
bool dlw_party_read_one(struct dlw_target *target, struct dlw_doc *doc, size_t depth);
/* Reads the waits of the target, whose stacks are known, until nothing moved meanwhile; what keeps
 * moving is not counted as waiting. Sets target->peers; dlw_target_close closes them too. */
void dlw_party_read(struct dlw_target *target, struct dlw_doc *doc, size_t depth);

#endif
