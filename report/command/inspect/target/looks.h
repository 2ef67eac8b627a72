/*
 * What earlier looks at a process saw. The kernel tells when a thread last ran; but to stop a
 * thread makes it run, so that the second look would tell a wait of hours as one of seconds. Each
 * look keeps, of every thread that slept through it, its count of context switches and when its
 * wait began: a thread that has the same count later has slept all the time.
 *
 * Kept by the command while it runs, and for the next one (dlw_looks_are_lasting) in a folder that
 * only this user can write and that the next boot empties: /run/dlwatch for root, else
 * $XDG_RUNTIME_DIR/dlwatch.
 */
#ifndef DLW_COMMAND_INSPECT_TARGET_LOOKS_H
#define DLW_COMMAND_INSPECT_TARGET_LOOKS_H

#include "report/command/inspect/target/target.h"

/* attach sets it: what is seen is kept for looks of other commands. */
extern bool dlw_looks_are_lasting;

/* Corrects `since` of the threads that slept since an earlier look. Where none can be remembered
 * each `since` is marked as the least that it may be. */
void dlw_looks_recall(struct dlw_target *target);
/* Remembers the threads that stood still to the end. */
void dlw_looks_keep(struct dlw_target *target);

#endif
