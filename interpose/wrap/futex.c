/*
 * Waits on a futex that a library makes by syscall(): std::future, C++20's latches, semaphores,
 * barriers and atomic waits, Rust's std, GLib, TBB. Nobody owns one, so they order nothing; but who
 * sleeps in one is not awake, and counts in a stall.
 *
 * Waits with a limit end of themselves; one for a futex with priority inheritance is the kernel's
 * own lock. Both pass.
 */
#include "interpose/wrap/futex.h"

#include "interpose/base/real.h"
#include "interpose/watch/wait.h"

#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>

static bool waits_without_limit(const long a[6])
{
    unsigned operation = (unsigned)a[1] & FUTEX_CMD_MASK;

    return (operation == FUTEX_WAIT || operation == FUTEX_WAIT_BITSET) && !a[3];
}

static long forward(const long a[6])
{
    return real.syscall(SYS_futex, a[0], a[1], a[2], a[3], a[4], a[5]);
}

long dlw_futex_call(const long a[6], struct dlw_call call)
{
    struct dlw_thread *self = dlw_thread_self();
    struct dlw_wait_for wait = {.on = (uintptr_t)a[0],
                                .kind = DLW_WAIT_FUTEX,
                                .lock_kind = DLW_LOCK_FUTEX,
                                .mode = DLW_EXCLUSIVE,
                                .expected = (uint32_t)a[2],
                                .call = call};
    int kept = errno;

    /* Not by dlw_thread_passes(), which would take a wait that sleeps by this call for one that has
     * been left: the C++ library waits so for another thread's initialisation. */
    if (!waits_without_limit(a) || dlw_thread_guard(self))
        return forward(a);
    self->calls++;
    dlw_wait_begin(self, &wait);
    errno = kept;
    long result = forward(a);
    dlw_wait_end(self);
    return result;
}
