/* What /proc shows of all processes. */
#ifndef DLW_COMMAND_INSPECT_ACROSS_VISIBLE_H
#define DLW_COMMAND_INSPECT_ACROSS_VISIBLE_H

#include <stdbool.h>
#include <stdint.h>

void dlw_proc_each(void (*visit)(void *context, uint32_t pid), void *context);
/* It does not show all that our numbers stand for: mounted with hidepid, or of another namespace.
 */
bool dlw_proc_is_hidden(void);
/* The pid namespace that the process numbers its threads in; 0: not known. */
uint64_t dlw_proc_numbering(uint32_t pid);

#endif
