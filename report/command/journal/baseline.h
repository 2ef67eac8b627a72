/* Reads a baseline from a file that `report --format=json` wrote, or from journals. */
#ifndef DLW_COMMAND_JOURNAL_BASELINE_H
#define DLW_COMMAND_JOURNAL_BASELINE_H

#include "report/command/document/baseline.h"
#include "report/command/symbols/symbols.h"

/* NULL after a message. */
struct dlw_baseline *dlw_baseline_read(const char *path, struct dlw_symbols *symbols);

#endif
