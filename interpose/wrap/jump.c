/*
 * longjmp and its kin, by all their names: a signal handler may leave by one what it interrupted
 * (threads/jump.h). Mostly there is nothing to leave: a few loads then.
 */
#undef _FORTIFY_SOURCE /* which would give longjmp another name */
#include "interpose/threads/jump.h"
#include "interpose/base/platform.h"
#include "interpose/base/real.h"
#include "interpose/threads/alarm.h"
#include "interpose/threads/held.h"
#include "interpose/watch/wait.h"

#include <setjmp.h>

void __longjmp_chk(jmp_buf buffer, int value) __attribute__((noreturn));

static void leaves(const struct __jmp_buf_tag *buffer)
{
    struct dlw_thread *self = dlw_self;

    dlw_real_resolve();
    if (!self || (self->guard & DLW_GUARD_OFF) || (!self->guard && !dlw_held_depth(self)))
        return;
    uintptr_t target = dlw_platform_jump_target(buffer);
    dlw_jump_begins(self, target);
    dlw_wait_jumps(self, target);
}

#define DLW_JUMP(name)                                                                             \
    DLW_EXPORT void name(jmp_buf buffer, int value)                                                \
    {                                                                                              \
        leaves(buffer);                                                                            \
        real.name(buffer, value);                                                                  \
        __builtin_unreachable();                                                                   \
    }

DLW_JUMP(longjmp)
DLW_JUMP(_longjmp)
DLW_JUMP(siglongjmp)
DLW_JUMP(__longjmp_chk)
