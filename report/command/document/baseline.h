/* A baseline: the findings that are known already, by fingerprint. */
#ifndef DLW_COMMAND_DOCUMENT_BASELINE_H
#define DLW_COMMAND_DOCUMENT_BASELINE_H

#include <stdbool.h>

struct dlw_known {
    const char *fingerprint;
    const char *kind, *severity, *message; /* words of the report, or NULL */
    const char *file;                      /* where it is in the source, or NULL */
    unsigned line;
    bool is_listed; /* false: hidden, as harmless */
};

struct dlw_baseline; /* opaque */

struct dlw_baseline *dlw_baseline_new(void);
void dlw_baseline_free(struct dlw_baseline *baseline);
/* Copies it; one that is there already stays as it is, listed if either is. */
void dlw_baseline_add(struct dlw_baseline *baseline, const struct dlw_known *known);
/* NULL: not known. */
const struct dlw_known *dlw_baseline_find(const struct dlw_baseline *baseline,
                                          const char *fingerprint);
/* In the order of adding; NULL begins, and ends. */
const struct dlw_known *dlw_baseline_next(const struct dlw_baseline *baseline,
                                          const struct dlw_known *before);

#endif
