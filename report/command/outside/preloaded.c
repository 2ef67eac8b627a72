#include "report/command/outside/preloaded.h"

#include "report/command/outside/modules.h"

#include <string.h>

static int find_library(Dwfl_Module *module, void **unused, const char *path, Dwarf_Addr start,
                        void *argument)
{
    static const char name[] = "libdlwatch.so";
    (void)unused;
    (void)start;
    if (strncmp(dlw_modules_base_name(path), name, strlen(name)))
        return DWARF_CB_OK;
    *(Dwfl_Module **)argument = module;
    return DWARF_CB_ABORT;
}

uint64_t dlw_preloaded_state(struct dlw_target *target)
{
    Dwfl_Module *library = NULL;
    dwfl_getmodules(target->dwfl, find_library, &library, 0);
    int n = library ? dwfl_module_getsymtab(library) : 0;
    for (int i = 1; i < n; i++) {
        GElf_Sym symbol;
        GElf_Addr address;
        const char *name = dwfl_module_getsym_info(library, i, &symbol, &address, NULL, NULL, NULL);
        if (name && symbol.st_shndx != SHN_UNDEF && !strcmp(name, "dlw_public_state"))
            return address;
    }
    return 0;
}
