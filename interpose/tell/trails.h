/*
 * The time line of a finding: the trails of its threads (report/emit/trail.h), read when it is
 * told, and written as lines of the journal behind it.
 */
#ifndef DLW_TELL_TRAILS_H
#define DLW_TELL_TRAILS_H

#include "graph/finding.h"
#include "report/emit/journal/journal.h"

/* The threads of one finding, at most: of a stall of thousands the first ones tell enough. */
enum { DLW_TRAILS_MOST = 64 };

/*
 * Each trail by itself: copied and its places looked up with no internal lock held, then handed to
 * `write`, which takes the locks that it needs. Those of threads that have ended are not there.
 * `id`: the finding's number.
 */
void dlw_trails_tell(uint32_t id, const struct dlw_finding *finding,
                     void (*write)(const struct dlw_journal_trail *trail));

#endif
