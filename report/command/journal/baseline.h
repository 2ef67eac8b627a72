/*
 * A baseline: the findings that are known already, by fingerprint. Read from a file that `report
 * --format=json` wrote, or from journals.
 */
#ifndef DLW_COMMAND_JOURNAL_BASELINE_H
#define DLW_COMMAND_JOURNAL_BASELINE_H

#include "report/command/document/model.h"
#include "report/command/symbols/symbols.h"

struct dlw_baseline; /* opaque */

/* NULL after a message. */
struct dlw_baseline *dlw_baseline_read(const char *path, struct dlw_symbols *symbols);
void dlw_baseline_free(struct dlw_baseline *baseline);
bool dlw_baseline_has(const struct dlw_baseline *baseline, const char *fingerprint);

#endif
