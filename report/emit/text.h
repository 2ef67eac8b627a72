/*
 * The readable block when the command can't be started: module+offset in place of names. Written
 * line by line through say.h. Called with the emit lock held.
 */
#ifndef DLW_EMIT_TEXT_H
#define DLW_EMIT_TEXT_H

#include "report/emit/journal/journal.h"

void dlw_text_finding(const struct dlw_journal_source *source, const struct dlw_finding *finding);
/* The closing lines of verbosity=1. */
void dlw_text_totals(const struct dlw_journal_totals *totals);

#endif
