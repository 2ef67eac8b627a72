/* Turns a target and its verdict into the document that the formats read. */
#ifndef DLW_OUTSIDE_DOCUMENT_H
#define DLW_OUTSIDE_DOCUMENT_H

#include "report/command/outside/target.h"
#include "report/command/outside/verdict.h"

void dlw_outside_document(struct dlw_target *target, const struct dlw_verdict *verdict,
                          struct dlw_doc *doc);

#endif
