/* Is there a CPython, which one, and where does it keep its state? */
#include "report/command/inspect/python/python.h"

#include "report/command/inspect/target/modules.h"
#include "report/command/inspect/target/sections.h"

#include <string.h>

struct search {
    struct dlw_target *target;
    Dwfl_Module *module;
    uint64_t runtime;
    bool is_pypy;
};

/* The symbols of every library are too many to look through. */
static int look_at_module(Dwfl_Module *module, void **unused, const char *path, Dwarf_Addr start,
                          void *argument)
{
    struct search *search = argument;
    bool is_exe = search->target->exe && !strcmp(path, search->target->exe);
    (void)unused;
    (void)start;
    search->is_pypy |= !strncmp(dlw_modules_base_name(path), "libpypy", strlen("libpypy"));
    if (!is_exe && !strstr(dlw_modules_base_name(path), "python"))
        return DWARF_CB_OK;
    search->runtime = dlw_sections_address(module, "_PyRuntime");
    search->module = module;
    return search->runtime ? DWARF_CB_ABORT : DWARF_CB_OK;
}

/* Before 3.11 it names its version in no variable: what it exports tells it. */
static unsigned version_of(struct dlw_target *target, Dwfl_Module *module)
{
    uint64_t version, at = dlw_sections_address(module, "Py_Version");
    if (at)
        return dlw_target_u64(target, at, &version) ? (unsigned)(version >> 16) & 0xffff : 0;
    if (dlw_sections_address(module, "PyIter_Send"))
        return 0x030a;
    return dlw_sections_address(module, "PyFrame_GetBack") ? 0x0309 : 0;
}

bool dlw_python_find(struct dlw_target *target, struct dlw_python_seen *out)
{
    struct search search = {.target = target};
    uint64_t head[DLW_PYTHON_HEAD / 8];
    if (target->is_narrow)
        return false;
    dwfl_getmodules(target->dwfl, look_at_module, &search, 0);
    *out = (struct dlw_python_seen){.runtime = search.runtime, .module = search.module};
    if (!search.runtime) {
        out->why = "PyPy is no CPython";
        return search.is_pypy;
    }
    if (!dlw_target_read(target, search.runtime, head, sizeof head)) {
        out->why = "its state can't be read";
        return true;
    }
    unsigned version = dlw_python_version_of(head);
    if (dlw_python_layout_of(version ? version : version_of(target, search.module), head,
                             &out->layout, &out->why))
        out->why = NULL;
    return true;
}
