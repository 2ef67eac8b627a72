/*
 * The program and its libraries: which files they are, found again by build id, handed to libdwfl
 * at the addresses where they lie in the process.
 */
#ifndef DLW_COMMAND_INSPECT_TARGET_MODULES_H
#define DLW_COMMAND_INSPECT_TARGET_MODULES_H

#include "report/command/inspect/target/target.h"

/* Begins the target's Dwfl session. False where libdwfl refuses. */
bool dlw_modules_report(struct dlw_target *target, struct dlw_doc *doc);
/* The path in the process of the module that holds the address; NULL: none. */
const char *dlw_modules_path(const struct dlw_target *target, uint64_t address);
/* The name after the last slash. */
const char *dlw_modules_base_name(const char *path);

#endif
