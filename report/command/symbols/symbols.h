/*
 * From a place in a module to what a programmer calls it, by libdw. Names a function with all that
 * was inlined there, and a variable with the member that an address lies in.
 *
 * Two ways in: by module path and build id (journals: the process may be long gone), or by a
 * Dwfl_Module that the caller's own Dwfl session reported (a live process, a core).
 *
 * By path: the file must have the build id that was recorded, else it has been rebuilt and its
 * names would be wrong; then debug folders are asked for the build id. Separate debug files are
 * found by build id and .gnu_debuglink. A module that can't be had yields frames with module and
 * offset, and says why in `dlw_symbols_trouble`.
 *
 * Opened modules are kept open until the end: one is looked at again and again.
 */
#ifndef DLW_COMMAND_SYMBOLS_SYMBOLS_H
#define DLW_COMMAND_SYMBOLS_SYMBOLS_H

#include "report/command/document/model.h"

#include "report/command/symbols/tables.h"

struct dlw_symbols; /* opaque */

/* `sysroot` (may be NULL) is put before every path; `folders` is the colon separated list of debug
 * folders, NULL: ":.debug:/usr/lib/debug" and DLWATCH_DEBUG_PATH. */
struct dlw_symbols *dlw_symbols_new(const char *sysroot, const char *folders);
/* Of a live process: its files are opened with its rights and in its root, and so is what they
 * name. Without this they are opened with ours, and sources with those of each file's owner. */
void dlw_symbols_set_rights(struct dlw_symbols *symbols, const struct dlw_rights *rights);
const struct dlw_rights *dlw_symbols_rights(const struct dlw_symbols *symbols); /* NULL: none set */
void dlw_symbols_free(struct dlw_symbols *symbols);

/* A place in the code of a file. */
struct dlw_code {
    const char *path, *build_id; /* NULL: of whatever build */
    uint64_t offset;
    uint64_t pc;    /* what the frames say; 0: none */
    bool is_return; /* a return address: the call before it is what is looked up */
};

/*
 * Appends to `stack` the frames that a place stands for: what is inlined there innermost first,
 * then the function itself. The array grows in `region`; its texts belong to `symbols`, which
 * outlives it. Always appends at least one frame.
 */
void dlw_symbols_frames(struct dlw_symbols *symbols, struct dlw_region *region,
                        const struct dlw_code *code, struct dlw_stack *stack);
/* The same with a module of a Dwfl session; `pc` is an address in that session. `module` NULL: a
 * frame with the pc alone. */
void dlw_symbols_frames_of(struct dlw_tables *tables, struct dlw_region *region,
                           Dwfl_Module *module, uint64_t pc, bool is_return,
                           struct dlw_stack *stack);

struct dlw_variable {
    const char *name;       /* `accounts+40`, `gate`; NULL: not known */
    const char *expression; /* `accounts[1].lock`; NULL where there is no debug information */
    const char *file;       /* that declares it, as the compiler was called; NULL as above */
    unsigned line;          /* of the declaration, or 0 */
};
/* The texts belong to `symbols`. */
struct dlw_variable dlw_symbols_variable(struct dlw_symbols *symbols, const char *path,
                                         const char *build_id, uint64_t offset);
struct dlw_variable dlw_symbols_variable_of(struct dlw_tables *tables, struct dlw_region *region,
                                            Dwfl_Module *module, uint64_t address);

/* The file as it is now, whatever its build id; NULL: not to be had. `bias`: what is added to its
 * own addresses. */
Dwfl_Module *dlw_symbols_module(struct dlw_symbols *symbols, const char *path, Dwarf_Addr *bias);

/* Why names of this module are missing ("rebuilt since", "no such file"), or NULL. */
const char *dlw_symbols_trouble(struct dlw_symbols *symbols, const char *path,
                                const char *build_id);

/* Demangled into the region (C++ and Rust), or a copy. Compilers' clone suffixes are cut off. */
const char *dlw_demangle(struct dlw_region *region, const char *symbol);

/* Hex of a module's build id, or NULL. */
const char *dlw_symbols_build_id(struct dlw_region *region, Dwfl_Module *module);

#endif
