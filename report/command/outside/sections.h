/* Bytes of a module's own file: texts in its sections, data that a symbol names. */
#ifndef DLW_OUTSIDE_SECTIONS_H
#define DLW_OUTSIDE_SECTIONS_H

#include <elfutils/libdwfl.h>
#include <stdbool.h>
#include <stddef.h>

bool dlw_sections_has(Dwfl_Module *module, const char *section);
/* Copies what follows `text` in the section, as a string. */
bool dlw_sections_find_text(Dwfl_Module *module, const char *section, const char *text, char *out,
                            size_t room);

/* Bytes at an address of the session, as the file has them. */
bool dlw_sections_read(Dwfl_Module *module, Dwarf_Addr address, void *out, size_t size);

struct dlw_symbol_bytes {
    const char *name;
    void *out;
    size_t size;
};
/* What stands at a symbol of this name, as the file has it. */
bool dlw_sections_symbol(Dwfl_Module *module, const struct dlw_symbol_bytes *wanted);

#endif
