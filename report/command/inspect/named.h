/* Processes by their name. */
#ifndef DLW_COMMAND_INSPECT_NAMED_H
#define DLW_COMMAND_INSPECT_NAMED_H

#include "report/command/base/arena.h"

#include <stddef.h>
#include <stdint.h>

struct dlw_named {
    uint32_t pid;
    const char *command; /* its words, one space between */
};

/* Those whose program or first word is called so, or that call themselves so, by number; this
 * process is none of them. Returns how many. */
size_t dlw_named_find(struct dlw_region *region, const char *name, struct dlw_named **out);

#endif
