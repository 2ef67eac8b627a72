/*
 * What the library can't do in this process (base/ability.h), as it is told: a line of the journal
 * each, at once where it reduces what is found. Without a `run` above, whose summary says it, those
 * are said as well; with verbosity=1 all that works and all that doesn't, at the end.
 */
#ifndef DLW_TELL_LACKS_H
#define DLW_TELL_LACKS_H

#include "report/emit/journal/journal.h"

#include <stdbool.h>

/* Is something missing that was not told yet? One load. */
bool dlw_lacks_is_news(void);
/* Tells it. With the emit lock held. */
void dlw_lacks_tell_locked(struct dlw_journal *journal, bool says);
/* Looks what can only be known by trying, as at the end of the process. */
void dlw_lacks_look(void);
/* What works and what doesn't, for people. */
void dlw_lacks_say_all(void);
/* In a forked child: its journal tells it anew. */
void dlw_lacks_after_fork(void);

#endif
