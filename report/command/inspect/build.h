/* Turns a target and its verdict into the document that the formats read. */
#ifndef DLW_COMMAND_INSPECT_BUILD_H
#define DLW_COMMAND_INSPECT_BUILD_H

#include "report/command/inspect/target/target.h"
#include "report/command/inspect/verdict.h"

/* `process`: its entry where the document has one already, or NULL. */
void dlw_outside_document(struct dlw_target *target, const struct dlw_verdict *verdict,
                          struct dlw_doc *doc, struct dlw_doc_process *process);

#endif
