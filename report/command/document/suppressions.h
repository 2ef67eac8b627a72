/*
 * Suppressions: lines `fingerprint:HEX`, of one mistake, or `kind:pattern`. The pattern is a shell
 * glob held against every function, source file (whole and base name), module and lock name of the
 * finding.
 */
#ifndef DLW_COMMAND_DOCUMENT_SUPPRESSIONS_H
#define DLW_COMMAND_DOCUMENT_SUPPRESSIONS_H

#include "report/command/document/model.h"

#include <stdio.h>

struct dlw_suppressions; /* opaque */

struct dlw_suppressions *dlw_suppressions_new(void);
void dlw_suppressions_free(struct dlw_suppressions *suppressions);
/* A malformed line gets a message with file and line and is passed over. False: there was one, or
 * the file can't be read. */
bool dlw_suppressions_read(struct dlw_suppressions *suppressions, const char *path);
bool dlw_suppressions_parse(struct dlw_suppressions *suppressions, FILE *in, const char *path);
bool dlw_suppressions_match(struct dlw_suppressions *suppressions,
                            const struct dlw_doc_finding *finding);
/* Lists those that matched nothing, "FILE:LINE: kind:pattern" each; returns how many. */
size_t dlw_suppressions_unused(const struct dlw_suppressions *suppressions, FILE *out);

#endif
