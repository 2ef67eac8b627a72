#include "interpose/base/state.h"
#include "interpose/threads/hooks.h"
#include "interpose/threads/record.h"

static const char *off_reason;

void dlw_switch_off(const char *reason)
{
    if (!atomic_exchange_explicit(&dlw_is_on, false, memory_order_relaxed))
        return;
    off_reason = reason;
    if (dlw_self)
        dlw_guard_set(dlw_self, DLW_GUARD_OFF);
}

void dlw_tell_switched_off(void)
{
    const char *reason = __atomic_exchange_n(&off_reason, NULL, __ATOMIC_RELAXED);

    if (reason)
        dlw_hooks.switched_off(reason);
}
