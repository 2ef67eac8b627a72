/* What /proc shows of all processes. */
#ifndef DLW_COMMAND_INSPECT_ACROSS_VISIBLE_H
#define DLW_COMMAND_INSPECT_ACROSS_VISIBLE_H

#include <stdbool.h>
#include <stdint.h>

void dlw_proc_each(void (*visit)(void *context, uint32_t pid), void *context);
/* It does not show all that our numbers stand for: mounted with hidepid, or of another namespace.
 */
bool dlw_proc_is_hidden(void);
/* Its threads have numbers of another pid namespace than ours. */
bool dlw_proc_is_numbered_apart(uint32_t pid);

#endif
