/*
 * __cxa_guard_*: the initialisation of C++ function-local statics (Itanium C++ ABI, 3.3.2).
 *
 * Where the program came with a C++ library, its functions do the work, as without us. They are
 * looked up in the constructor and never later: a static is met in the middle of a dlopen too, by a
 * thread that the opening one waits for, and a look-up would wait for the loader's lock.
 *
 * A C program may open C++ plugins for themselves alone, each with a C++ library of its own, even
 * one linked into it. Their calls come here, since the preloaded library stands before what is
 * opened later, and there is no single library behind us. For them the work is done here, in the
 * three bytes and with the futex that libstdc++ uses (gcc's cxxabi_tweaks.h): should code that is
 * bound to a libstdc++ of its own meet the same guard, the two understand each other.
 */
#include "interpose/wrap/static_guard.h"

#include "graph/base/sys.h"
#include "interpose/base/objects.h"
#include "interpose/base/real.h"
#include "interpose/order/validate.h"
#include "interpose/steer/role.h"
#include "interpose/watch/initializer.h"
#include "interpose/watch/wait.h"

#include <dlfcn.h>
#include <limits.h>
#include <link.h>
#include <linux/futex.h>
#include <stdint.h>

int __cxa_guard_acquire(int64_t *object);
void __cxa_guard_release(int64_t *object);
void __cxa_guard_abort(int64_t *object);

static struct {
    int (*acquire)(int64_t *);
    void (*release)(int64_t *);
    void (*abort)(int64_t *);
} cxx; /* all NULL: the program came with no C++ library */

/* One look-up that fails is enough: libc makes a message of each, which takes eight pages of it.
 * dlerror() must not tell the program of one that is ours. */
void dlw_guard_start(void)
{
    cxx.acquire = (int (*)(int64_t *))dlsym(RTLD_NEXT, "__cxa_guard_acquire");
    if (!cxx.acquire) {
        dlerror();
        return;
    }
    cxx.release = (void (*)(int64_t *))dlsym(RTLD_NEXT, "__cxa_guard_release");
    cxx.abort = (void (*)(int64_t *))dlsym(RTLD_NEXT, "__cxa_guard_abort");
    if (!cxx.release || !cxx.abort)
        cxx = (__typeof__(cxx)){NULL, NULL, NULL};
    dlerror();
}

/* ---- the protocol ---- */

/* The first half of a guard, as one word: byte 0 says done, byte 1 running, byte 2 that somebody
 * sleeps. */
enum { FREE = 0, DONE = 1, RUNNING = 1 << 8, SLEEPERS = 1 << 16 };
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the first byte is the lowest");

/* Not the private operations: libstdc++ waits and wakes without that flag. */
static void sleep_on(int *word, int seen)
{
    dlw_syscall(SYS_futex, word, FUTEX_WAIT, seen, NULL);
}

/*
 * In a process of one thread libstdc++ throws when a static asks for itself: only the caller's own
 * library can do that. The loader may be asked then: nobody else can have its lock.
 */
static int acquire_again(int64_t *object, uintptr_t caller)
{
    struct dl_find_object found;
    int (*own)(int64_t *) = NULL;

    if (dlw_object_find(caller, &found)) {
        void *module = dlopen(found.dlfo_link_map->l_name, RTLD_LAZY | RTLD_NOLOAD);
        own = module ? (int (*)(int64_t *))dlsym(module, "__cxa_guard_acquire") : NULL;
    }
    if (own)
        return own(object);
    for (;;) /* as it would be with threads */
        sleep_on((int *)object, *(int *)object);
}

static int acquire(int64_t *object, uintptr_t caller)
{
    int *word = (int *)object;

    if (dlw_is_single_threaded() && (*word & RUNNING))
        return acquire_again(object, caller);
    for (;;) {
        int seen = FREE;
        /* The acquire pairs with the release in leave. */
        if (__atomic_compare_exchange_n(word, &seen, RUNNING, 0, __ATOMIC_ACQUIRE,
                                        __ATOMIC_ACQUIRE))
            return 1;
        if (seen & DONE)
            return 0;
        if ((seen & SLEEPERS) || __atomic_compare_exchange_n(word, &seen, seen | SLEEPERS, 0,
                                                             __ATOMIC_RELAXED, __ATOMIC_RELAXED))
            sleep_on(word, seen | SLEEPERS);
    }
}

static void leave(int64_t *object, int next)
{
    int *word = (int *)object;

    if (__atomic_exchange_n(word, next, __ATOMIC_RELEASE) & SLEEPERS)
        dlw_syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX);
}

static int real_acquire(int64_t *object, uintptr_t caller)
{
    return cxx.acquire ? cxx.acquire(object) : acquire(object, caller);
}

/* ---- the wrappers ---- */

/* libstdc++ and libc++abi keep "done" in the first byte and "running" in the second. */
static bool is_done(const int64_t *object)
{
    return __atomic_load_n((const char *)object, __ATOMIC_ACQUIRE) != 0;
}

/* With one thread it is a static that asks for itself, and no wait: see acquire_again. */
static bool is_running(const int64_t *object)
{
    return !dlw_is_single_threaded() &&
           __atomic_load_n((const char *)object + 1, __ATOMIC_ACQUIRE) != 0;
}

DLW_EXPORT int __cxa_guard_acquire(int64_t *object)
{
    struct dlw_thread *self = dlw_thread_self();
    struct dlw_call call = DLW_CALL_HERE();

    if (is_done(object) || dlw_thread_passes(self))
        return real_acquire(object, call.pc);
    self->calls++;
    dlw_role_asks(self, object, DLW_LOCK_GUARD, DLW_EXCLUSIVE, call);
    if (is_running(object))
        dlw_initializer_wait(self, object, DLW_LOCK_GUARD, DLW_WAIT_GUARD, call);
    int mine = real_acquire(object, call.pc);
    dlw_wait_end(self);
    if (mine)
        dlw_initializer_enter(self, object, DLW_LOCK_GUARD, call);
    return mine;
}

DLW_EXPORT void __cxa_guard_release(int64_t *object)
{
    dlw_initializer_leave(dlw_thread_self(), object);
    if (cxx.release)
        cxx.release(object);
    else
        leave(object, DONE);
}

DLW_EXPORT void __cxa_guard_abort(int64_t *object)
{
    dlw_initializer_leave(dlw_thread_self(), object);
    if (cxx.abort)
        cxx.abort(object);
    else
        leave(object, FREE);
}
