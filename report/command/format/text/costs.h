/* Words for what locks cost (run --profile). */
#ifndef DLW_COMMAND_FORMAT_TEXT_COSTS_H
#define DLW_COMMAND_FORMAT_TEXT_COSTS_H

#include "report/command/document/model.h"

/* "236 ns", "5.98 ms" */
const char *dlw_cost_time(struct dlw_region *region, uint64_t ns);
/* "1,234,567" */
const char *dlw_cost_number(struct dlw_region *region, uint64_t number);
/* "fast (prof.c:9)" */
const char *dlw_cost_place(struct dlw_region *region, const struct dlw_stack *stack);
/* Who had it during the longest wait, and since where; NULL: not known. */
const char *dlw_cost_holder(struct dlw_region *region, const struct dlw_doc_cost *cost);
/* All of it in a sentence. */
const char *dlw_cost_words(struct dlw_region *region, const struct dlw_doc_cost *cost);

#endif
