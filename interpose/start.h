/* Start, switch and end of the library. */
#ifndef DLW_START_H
#define DLW_START_H

#include "interpose/threads/record.h"

/* A call came before the constructor: makes the real functions callable; the caller passes. */
struct dlw_thread *dlw_start_early(void);
/* Upper end of the mapping that holds `address` (from /proc/self/maps), or a guess close by. */
uintptr_t dlw_stack_end_of(uintptr_t address);
/* What runs a thread's routine stands in a section of its own: behind it begins libc, and walks end
 * there. Other code of the library may well stand between frames of the program (once.c). */
#define DLW_TRAMPOLINE __attribute__((noinline, section("dlw_trampolines")))
bool dlw_starts_thread(uintptr_t pc);

#endif
