/* The short names of a report's legend: "T1" for a thread of a cycle, "L1" for a lock. */
#ifndef DLW_COMMAND_DOCUMENT_LABELS_H
#define DLW_COMMAND_DOCUMENT_LABELS_H

#include "report/command/document/model.h"

enum { DLW_MAX_LABELS = 12 }; /* threads; a longer circle is told by the others' titles */

/* The threads of the cycle that have a label, T1 first; returns how many. */
size_t dlw_label_threads(const struct dlw_doc_finding *finding,
                         const struct dlw_doc_thread *threads[DLW_MAX_LABELS]);
/* "T1"; the title of a thread that has none. */
const char *dlw_thread_label(struct dlw_region *region, const struct dlw_doc_finding *finding,
                             const struct dlw_doc_thread *thread);
/* "L1", "the end of T2" */
const char *dlw_lock_label(struct dlw_region *region, const struct dlw_doc_finding *finding,
                           const struct dlw_doc_lock *lock);

#endif
