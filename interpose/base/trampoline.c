#include "interpose/base/trampoline.h"

/* The linker would export what it makes: the attribute does not reach it. */
__asm__(".hidden __start_dlw_trampolines\n.hidden __stop_dlw_trampolines\n");
