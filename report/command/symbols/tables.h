/*
 * What a module's symbols and debug information say, in tables made when they are first asked for:
 * libdw and libdwfl walk all symbols of a module, and a unit's entries are a list, so without them
 * each of 20,000 places costs a walk over 20,000 functions.
 */
#ifndef DLW_COMMAND_SYMBOLS_TABLES_H
#define DLW_COMMAND_SYMBOLS_TABLES_H

#include <elfutils/libdwfl.h>
#include <stdbool.h>

struct dlw_tables; /* opaque: of all modules of one Dwfl session */

struct dlw_tables *dlw_tables_new(void);
void dlw_tables_free(struct dlw_tables *tables); /* before the session ends */
/* The module's file is closed. */
void dlw_tables_forget(struct dlw_tables *tables, Dwfl_Module *module);

/* The symbol that covers the address, or NULL. */
const char *dlw_tables_symbol(struct dlw_tables *tables, Dwfl_Module *module, Dwarf_Addr address,
                              GElf_Sym *symbol, GElf_Off *offset);
/* The unit that has code there, for modules without .debug_aranges; `*bias` as libdwfl's. */
Dwarf_Die *dlw_tables_unit(struct dlw_tables *tables, Dwfl_Module *module, Dwarf_Addr address,
                           Dwarf_Addr *bias);
/* The outermost scope with code at this address of the unit's file: a routine. */
bool dlw_tables_routine(struct dlw_tables *tables, Dwfl_Module *module, Dwarf_Die *unit,
                        Dwarf_Addr address, Dwarf_Die *routine);

/* Where a variable lies, and its entry. */
struct dlw_variable_place {
    Dwarf_Die die;
    Dwarf_Addr start;
};
/* `in_functions`: a static local counts too. */
bool dlw_tables_variable(struct dlw_tables *tables, Dwfl_Module *module, Dwarf_Addr address,
                         bool in_functions, struct dlw_variable_place *out, Dwarf_Addr *bias);

/* Scopes with code of their own, and those that only hold such. */
bool dlw_tables_has_code(int tag);

#endif
