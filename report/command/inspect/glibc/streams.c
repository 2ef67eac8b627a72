/* The three streams that every program has, by the lock that each points to. */
#include "report/command/inspect/glibc/runtime.h"
#include "report/command/inspect/glibc/waits.h"
#include "report/command/inspect/target/modules.h"
#include "report/command/inspect/target/sections.h"

#include <string.h>

enum { FILE_LOCK = 136 }; /* of `_lock` in FILE, on 64-bit processors; part of glibc's ABI */

static int find_libc(Dwfl_Module *module, void **unused, const char *path, Dwarf_Addr start,
                     void *argument)
{
    (void)unused;
    (void)start;
    if (!dlw_runtime_is_libc_name(dlw_modules_base_name(path)) ||
        !dlw_sections_address(module, "_IO_2_1_stdout_"))
        return DWARF_CB_OK;
    *(Dwfl_Module **)argument = module;
    return DWARF_CB_ABORT;
}

const char *dlw_standard_stream(struct dlw_target *target, uint64_t lock)
{
    static const struct {
        const char *symbol, *name;
    } streams[] = {
        {"_IO_2_1_stdin_", "stdin"},
        {"_IO_2_1_stdout_", "stdout"},
        {"_IO_2_1_stderr_", "stderr"},
    };
    Dwfl_Module *libc = NULL;
    dwfl_getmodules(target->dwfl, find_libc, &libc, 0);
    for (size_t i = 0; libc && i < sizeof streams / sizeof *streams; i++) {
        Dwarf_Addr stream = dlw_sections_address(libc, streams[i].symbol);
        uint64_t pointer;
        if (stream && dlw_target_u64(target, stream + FILE_LOCK, &pointer) && pointer == lock)
            return streams[i].name;
    }
    return NULL;
}
