/*
 * sigaction and its kin, by all their names: only to know that the program has handlers
 * (signals.h). sigaction may be called in a handler, or by the child of a vfork: nothing is touched
 * but that one flag.
 */
#include "interpose/base/real.h"
#include "interpose/base/signals.h"
#include "interpose/threads/record.h"

#include <signal.h>

int __sigaction(int number, const struct sigaction *restrict action,
                struct sigaction *restrict before);
sighandler_t __sysv_signal(int number, sighandler_t handler);
sighandler_t sysv_signal(int number, sighandler_t handler);
sighandler_t bsd_signal(int number, sighandler_t handler);

/* Before the real call, since the handler may run before that has returned; and it may be the first
 * call of all. */
static void begins(int number, sighandler_t handler)
{
    dlw_real_resolve();
    if (handler != SIG_DFL && handler != SIG_IGN && handler != SIG_ERR && handler != SIG_HOLD)
        dlw_signals_note(number);
}

DLW_EXPORT int sigaction(int number, const struct sigaction *restrict action,
                         struct sigaction *restrict before)
{
    begins(number, action ? action->sa_handler : SIG_DFL);
    return real.sigaction(number, action, before);
}

DLW_EXPORT int __sigaction(int number, const struct sigaction *restrict action,
                           struct sigaction *restrict before)
{
    begins(number, action ? action->sa_handler : SIG_DFL);
    return real.__sigaction(number, action, before);
}

#define DLW_SIGNAL(name)                                                                           \
    DLW_EXPORT sighandler_t name(int number, sighandler_t handler)                                 \
    {                                                                                              \
        begins(number, handler);                                                                   \
        return real.name(number, handler);                                                         \
    }

DLW_SIGNAL(signal)
DLW_SIGNAL(bsd_signal)
DLW_SIGNAL(ssignal)
DLW_SIGNAL(sysv_signal)
DLW_SIGNAL(__sysv_signal)
DLW_SIGNAL(sigset)

/* From here on a cancel of this thread comes between any two instructions, as a handler does. */
DLW_EXPORT int pthread_setcanceltype(int type, int *before)
{
    enum { SIGNAL_CANCEL = 32 };

    struct dlw_thread *self = dlw_self;
    bool is_anywhere = type == PTHREAD_CANCEL_ASYNCHRONOUS;

    dlw_real_resolve();
    if (is_anywhere)
        dlw_signals_note(SIGNAL_CANCEL);
    if (self && !(self->guard & DLW_GUARD_OFF) && (is_anywhere || type == PTHREAD_CANCEL_DEFERRED))
        atomic_store_explicit(&self->cancels_anywhere, is_anywhere, memory_order_relaxed);
    return real.pthread_setcanceltype(type, before);
}
