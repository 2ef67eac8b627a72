/* Frames of the library in which a thread's stack begins, and those that walks pass through. */
#ifndef DLW_BASE_TRAMPOLINE_H
#define DLW_BASE_TRAMPOLINE_H

#include <stdbool.h>
#include <stdint.h>

/* What runs a thread's routine stands in a section of its own: behind it begins libc, and walks end
 * there. Other code of the library may well stand between frames of the program (once.c). */
#define DLW_TRAMPOLINE __attribute__((noinline, section("dlw_trampolines")))

/* The linker makes these two. */
extern const char dlw_trampolines_start[] __asm__("__start_dlw_trampolines")
    __attribute__((visibility("hidden")));
extern const char dlw_trampolines_end[] __asm__("__stop_dlw_trampolines")
    __attribute__((visibility("hidden")));

static inline bool dlw_starts_thread(uintptr_t pc)
{
    return pc >= (uintptr_t)dlw_trampolines_start && pc < (uintptr_t)dlw_trampolines_end;
}

#endif
