/*
 * The names of code in a journal: a program may be built anew before its journal is read again, and
 * then its old addresses mean nothing any more. So `run`, which has the program at hand, adds what
 * the frames of its findings are called, as lines of type `place` at the end of the journal.
 */
#ifndef DLW_COMMAND_JOURNAL_NAMES_H
#define DLW_COMMAND_JOURNAL_NAMES_H

#include "report/command/document/model.h"

/* Of the finished document: to the journals of processes that have ended. Fails in silence. */
void dlw_names_keep(const struct dlw_doc *doc);
/* Before a document is finished: frames without a function get back what their journals know. */
void dlw_names_restore(struct dlw_doc *doc);

#endif
