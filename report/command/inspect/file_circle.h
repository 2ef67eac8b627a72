/*
 * A file's lock has no thread that holds it: any thread of the processes that have it could let it
 * go. Where all of those can't go on, a circle is told by a shortest way through them.
 */
#ifndef DLW_COMMAND_INSPECT_FILE_CIRCLE_H
#define DLW_COMMAND_INSPECT_FILE_CIRCLE_H

#include "report/command/inspect/world.h"

/* The circle that the thread `start`, which waits for a file's lock, stands in; alone where all
 * that is known is that its own process has the lock. Ids, in the region; returns how many, 0: it
 * stands in none. `is_dead` is by ids. */
size_t dlw_file_circle(const struct dlw_world *world, uint32_t start, const bool *is_dead,
                       uint32_t **out);
/* Is it that file's lock that is waited for? */
bool dlw_file_is_waited(const struct dlw_seen_wait *wait, const struct dlw_seen_file *file);

#endif
