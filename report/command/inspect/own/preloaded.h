/* A process that runs under libdlwatch.so keeps records of its own (report/emit/records.h). */
#ifndef DLW_COMMAND_INSPECT_OWN_PRELOADED_H
#define DLW_COMMAND_INSPECT_OWN_PRELOADED_H

#include "report/command/inspect/target/target.h"

/* The largest entry that is read, and how many of its return addresses. */
enum { DLW_SEEN_ENTRY = 4096, DLW_SEEN_LEVELS = 16 };
/* The largest table of semaphores: slots of the first segment, and segments. */
enum { DLW_SEEN_SLOTS = 1024, DLW_SEEN_SEGMENTS = 12 };

/* Finds the records and sets target->records, or says why they can't be used. */
void dlw_preloaded_find(struct dlw_target *target, struct dlw_doc *doc);

/*
 * Adds what they tell to what memory told: what each thread holds, waits of our own wrappers, who
 * holds what the C library does not record. Marked before dlw_waits_read, read after it, confirmed
 * at the end; the three may be called again. A thread whose wait is the same one from mark to
 * confirmation stood still, also if it spun or our wrapper woke it meanwhile.
 */
void dlw_preloaded_mark(struct dlw_target *target);
void dlw_preloaded_read(struct dlw_target *target);
void dlw_preloaded_confirm(struct dlw_target *target);

/* A part of dlw_preloaded_read, after the threads have what they hold else: semaphores that other
 * processes may use as well (target->semaphores), and which thread has taken them. */
void dlw_preloaded_semaphores(struct dlw_target *target);

/* The stack where a held lock was taken, with places of which can't be known. */
size_t dlw_preloaded_stack(struct dlw_target *target, const struct dlw_seen_thread *thread,
                           const struct dlw_seen_hold *hold, struct dlw_place **out, bool *is_cut);

/* Adds the findings made so far, and returns the process that they are of; NULL: there are none. */
struct dlw_doc_process *dlw_preloaded_findings(struct dlw_target *target, struct dlw_doc *doc);

#endif
