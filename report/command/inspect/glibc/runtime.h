/* Which C library and language runtime the program runs on, and hence which layout holds. */
#ifndef DLW_COMMAND_INSPECT_GLIBC_RUNTIME_H
#define DLW_COMMAND_INSPECT_GLIBC_RUNTIME_H

#include "report/command/inspect/target/target.h"

/* Sets runtime, version, layout; says what can't be told because of them. Called with the modules
 * in and the registers known. */
void dlw_runtime_recognise(struct dlw_target *target, struct dlw_doc *doc);

/* Says that a runtime's own locks name no holder, where a thread waits for one. After the waits. */
void dlw_runtime_say_unowned(struct dlw_target *target, struct dlw_doc *doc);

/* Does a place belong to the C library, the threads' library or our own wrappers? */
bool dlw_runtime_is_library(const struct dlw_target *target, uint64_t pc);
/* "libc.so.6", "libpthread-2.31.so", … */
bool dlw_runtime_is_libc_name(const char *base_name);

#endif
