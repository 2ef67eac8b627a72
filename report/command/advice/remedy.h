/* The parts of an advice (classify.h), shared by remedy.c and remedy_calls.c. */
#ifndef DLW_COMMAND_ADVICE_REMEDY_H
#define DLW_COMMAND_ADVICE_REMEDY_H

#include "report/command/document/classify.h"

/* One paragraph more; what does not fit is left out. */
void dlw_remedy_say(struct dlw_remedy *remedy, const char *text);
/* The frame that a reader should look at, or NULL. */
const struct dlw_frame *dlw_remedy_frame(const struct dlw_stack *stack);
/* "transfer (bank.c:31)" */
const char *dlw_remedy_place(struct dlw_region *region, const struct dlw_stack *stack);
void dlw_remedy_stall(struct dlw_region *region, const struct dlw_doc_finding *finding,
                      struct dlw_remedy *remedy);
void dlw_remedy_accusation(struct dlw_region *region, const struct dlw_doc_finding *finding,
                           struct dlw_remedy *remedy);

#endif
