#include "report/command/outside/preloaded.h"

#include "report/command/outside/modules.h"
#include "report/command/outside/sections.h"

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
    return dlw_sections_address(library, "dlw_public_state");
}
