/* Start, switch and end of the library. */
#ifndef DLW_START_H
#define DLW_START_H

#include "interpose/thread.h"

/* A call came before the constructor: makes the real functions callable; the caller passes. */
struct dlw_thread *dlw_start_early(void);
/* Upper end of the mapping that holds `address` (from /proc/self/maps), or a guess close by. */
uintptr_t dlw_stack_end_of(uintptr_t address);
/* Is this return address in the library's own code? Walks end there. */
bool dlw_is_own_code(uintptr_t pc);

#endif
