/* What a line of source calls the lock that it takes. */
#ifndef DLW_COMMAND_DOCUMENT_NAMES_EXPRESSION_H
#define DLW_COMMAND_DOCUMENT_NAMES_EXPRESSION_H

#include "report/command/base/arena.h"

#include <stdbool.h>

/* "state->lock" of "pthread_mutex_lock(&state->lock);", "GST_STATE_LOCK (element)" of itself,
 * "state->lock" of "std::lock_guard<std::mutex> held(state->lock);". NULL: not understood. */
const char *dlw_lock_expression(struct dlw_region *region, const char *line);
/* The same of a line of Python: "self.lock" of "with self.lock:", "jobs" of "job = jobs.get()". */
const char *dlw_python_expression(struct dlw_region *region, const char *line);

#endif
