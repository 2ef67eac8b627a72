/* A baseline: the findings that are known already, by fingerprint. */
#ifndef DLW_COMMAND_DOCUMENT_BASELINE_H
#define DLW_COMMAND_DOCUMENT_BASELINE_H

#include <stdbool.h>

struct dlw_baseline; /* opaque */

struct dlw_baseline *dlw_baseline_new(void);
void dlw_baseline_free(struct dlw_baseline *baseline);
void dlw_baseline_add(struct dlw_baseline *baseline, const char *fingerprint);
bool dlw_baseline_has(const struct dlw_baseline *baseline, const char *fingerprint);

#endif
