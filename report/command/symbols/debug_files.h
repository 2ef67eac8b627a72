/*
 * Separate debug files, for libdwfl. Its own search opens what a program names (.gnu_debuglink) as
 * it is, be it a pipe, and with all our rights. Here a file beside the program is opened with the
 * rights that belong to the program and only where it is the right one: by build id, else by its
 * checksum. Debug folders (/usr/lib/debug, DLWATCH_DEBUG_PATH) are ours, and libdwfl's search by
 * build id goes on there, debuginfod included.
 */
#ifndef DLW_COMMAND_SYMBOLS_DEBUG_FILES_H
#define DLW_COMMAND_SYMBOLS_DEBUG_FILES_H

#include "report/command/base/rights.h"

#include <elfutils/libdwfl.h>

/* The user data of a module, set when its file is known; NULL: nothing beside it is opened. */
struct dlw_module_files {
    struct dlw_region *region; /* that it lives in */
    /* What it names is opened with these: files beside it, split units, sources. */
    const struct dlw_rights *rights;
};

/* Of a module of a session that uses the callback below. */
const struct dlw_module_files *dlw_module_files(Dwfl_Module *module);
void dlw_module_set_files(Dwfl_Module *module, struct dlw_region *region,
                          const struct dlw_rights *rights);

/* Dwfl_Callbacks.find_debuginfo */
int dlw_debug_file_find(Dwfl_Module *module, void **user_data, const char *name, Dwarf_Addr base,
                        const char *file, const char *link, GElf_Word checksum, char **out);

#endif
