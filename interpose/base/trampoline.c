#include "interpose/base/trampoline.h"

extern const char trampolines_start[] __asm__("__start_dlw_trampolines")
    __attribute__((visibility("hidden")));
extern const char trampolines_end[] __asm__("__stop_dlw_trampolines")
    __attribute__((visibility("hidden")));
/* The linker makes these two, and would export them: the attribute does not reach what it makes. */
__asm__(".hidden __start_dlw_trampolines\n.hidden __stop_dlw_trampolines\n");

bool dlw_starts_thread(uintptr_t pc)
{
    return pc >= (uintptr_t)trampolines_start && pc < (uintptr_t)trampolines_end;
}
