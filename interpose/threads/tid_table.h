/* From a tid to its record. What ends in _locked is called with the threads lock held. */
#ifndef DLW_THREADS_TID_TABLE_H
#define DLW_THREADS_TID_TABLE_H

#include "interpose/threads/record.h"

/* `first` begins the list of all records, this thread's among them. */
void dlw_tids_add_locked(struct dlw_thread *thread, struct dlw_thread *first);
void dlw_tids_remove_locked(const struct dlw_thread *thread);
/* A new table of all that are in the list. False: out of memory, the old one stays. */
bool dlw_tids_rebuild_locked(struct dlw_thread *first);

#endif
