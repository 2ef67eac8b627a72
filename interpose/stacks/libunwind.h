/* Asks libunwind for the rule of a return address. All but the opening under the lock of the table
 * (rules.c), since libunwind has locks of its own that a fork must find free. */
#ifndef DLW_STACKS_LIBUNWIND_H
#define DLW_STACKS_LIBUNWIND_H

#include "interpose/stacks/rules.h"

/* From the constructor only. False: stacks are one frame deep. */
bool dlw_libunwind_open(void);
/* The rule of `pc`, and where its function begins; 0: not known. Some µs; errno stays. */
struct dlw_rule dlw_libunwind_ask_locked(uintptr_t pc, uint64_t *function);

#endif
