/* Bytes of a module's own file: texts in its sections, data that a symbol names. */
#ifndef DLW_COMMAND_INSPECT_TARGET_SECTIONS_H
#define DLW_COMMAND_INSPECT_TARGET_SECTIONS_H

#include <elfutils/libdwfl.h>
#include <stdbool.h>
#include <stddef.h>

/* The module of whose segments one holds an address of the session; NULL: none. libdwfl gives what
 * lies behind a module to that module too, up to the processor's largest page: 64 KiB on aarch64.
 */
Dwfl_Module *dlw_sections_module(Dwfl *dwfl, Dwarf_Addr address);

bool dlw_sections_has(Dwfl_Module *module, const char *section);
/* Copies what follows `text` in the section, as a string. */
bool dlw_sections_find_text(Dwfl_Module *module, const char *section, const char *text, char *out,
                            size_t room);

/* Bytes at an address of the session, as the file has them: code and constants only. */
bool dlw_sections_read(Dwfl_Module *module, Dwarf_Addr address, void *out, size_t size);

/* Where a section lies in the session, and its size; 0: there is none. */
Dwarf_Addr dlw_sections_place(Dwfl_Module *module, const char *section, size_t *size);

/* Where a symbol of this name lies in the session; 0: there is none. */
Dwarf_Addr dlw_sections_address(Dwfl_Module *module, const char *name);

struct dlw_symbol_bytes {
    const char *name;
    void *out;
    size_t size;
};
/* What stands at a symbol of this name, as the file has it. */
bool dlw_sections_symbol(Dwfl_Module *module, const struct dlw_symbol_bytes *wanted);

#endif
