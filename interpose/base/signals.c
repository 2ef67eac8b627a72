#include "interpose/base/signals.h"

#include "graph/base/sys.h"
#include "interpose/base/state.h"

#include <signal.h>

enum { KERNEL_SIGSET_BYTES = 8, LAST_SIGNAL = 64, SIGNAL_SETXID = 33 };

_Atomic bool dlw_signals_are_caught;

#define BIT(number) (UINT64_C(1) << ((number)-1))
static const uint64_t synchronous =
    BIT(SIGSEGV) | BIT(SIGBUS) | BIT(SIGILL) | BIT(SIGFPE) | BIT(SIGTRAP) | BIT(SIGSYS);
/* glibc's handler for it makes one system call and takes no lock. */
static const uint64_t harmless = BIT(SIGNAL_SETXID);

void dlw_signals_note(int number)
{
    if (number >= 1 && number <= LAST_SIGNAL && !(BIT(number) & (synchronous | harmless)))
        atomic_store_explicit(&dlw_signals_are_caught, true, memory_order_relaxed);
}

void dlw_signals_start(void)
{
    for (int number = 1; number <= LAST_SIGNAL; number++) {
        uintptr_t action[4] = {0}; /* the kernel's: the handler comes first */
        if (dlw_syscall(SYS_rt_sigaction, number, NULL, action, KERNEL_SIGSET_BYTES) == 0 &&
            action[0] > (uintptr_t)SIG_IGN)
            dlw_signals_note(number);
    }
}

bool dlw_signals_alternate_stack(const uintptr_t *inside)
{
    stack_t stack = {.ss_flags = SS_DISABLE};

    if (atomic_load_explicit(&dlw_confined, memory_order_relaxed) ||
        dlw_syscall(SYS_sigaltstack, NULL, &stack) != 0 || !(stack.ss_flags & SS_ONSTACK))
        return false;
    return !inside || *inside - (uintptr_t)stack.ss_sp < stack.ss_size;
}

void dlw_shield_raise(struct dlw_shield *shield)
{
    uint64_t all = ~synchronous;

    if (!atomic_load_explicit(&dlw_signals_are_caught, memory_order_relaxed) ||
        atomic_load_explicit(&dlw_confined, memory_order_relaxed))
        return;
    shield->is_up =
        dlw_syscall(SYS_rt_sigprocmask, SIG_BLOCK, &all, &shield->before, KERNEL_SIGSET_BYTES) == 0;
}

void dlw_shield_abandon(struct dlw_shield *shield)
{
    uint64_t now = 0, never = BIT(SIGKILL) | BIT(SIGSTOP);

    if (!shield->is_up)
        return;
    shield->is_up = false;
    dlw_syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &now, KERNEL_SIGSET_BYTES);
    if ((now | synchronous | never) != ~UINT64_C(0))
        return; /* the jump has restored the mask that the program wanted */
    now = shield->before | (now & synchronous);
    dlw_syscall(SYS_rt_sigprocmask, SIG_SETMASK, &now, NULL, KERNEL_SIGSET_BYTES);
}

void dlw_shield_lower(struct dlw_shield *shield)
{
    if (!shield->is_up)
        return;
    shield->is_up = false;
    dlw_syscall(SYS_rt_sigprocmask, SIG_SETMASK, &shield->before, NULL, KERNEL_SIGSET_BYTES);
}
