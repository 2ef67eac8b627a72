/* Unwinding, by libdwfl with our own registers and memory: nothing is stopped for it. */
#ifndef DLW_COMMAND_INSPECT_WALK_STACKS_H
#define DLW_COMMAND_INSPECT_WALK_STACKS_H

#include "report/command/inspect/target/target.h"

/* Fills the places of every thread whose registers are known. Called after the modules are in. */
void dlw_stacks_unwind(struct dlw_target *target, size_t depth);

#endif
