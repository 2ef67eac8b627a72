/*
 * __cxa_guard_*: the initialisation of C++ function-local statics (Itanium C++ ABI, 3.3.3). These
 * live in the C++ library, which a C program may have opened for itself alone: then RTLD_NEXT finds
 * nothing, and they are taken from that library by name.
 */
#include "interpose/base/real.h"
#include "interpose/order/validate.h"
#include "interpose/watch/initializer.h"
#include "interpose/watch/wait.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdint.h>

int __cxa_guard_acquire(int64_t *object);
void __cxa_guard_release(int64_t *object);
void __cxa_guard_abort(int64_t *object);

static struct {
    int (*acquire)(int64_t *);
    void (*release)(int64_t *);
    void (*abort)(int64_t *);
} cxx;

static void *find(const char *name)
{
    static const char *const libraries[] = {"libstdc++.so.6", "libc++abi.so.1"};
    void *found = dlsym(RTLD_NEXT, name);

    for (unsigned i = 0; !found && i < 2; i++) {
        void *library = dlopen(libraries[i], RTLD_LAZY | RTLD_NOLOAD);
        if (library)
            found = dlsym(library, name);
    }
    return found;
}

/* A program has these or can't have called; the loader's lock is taken once, at the first static of
 * the program. */
static void resolve(void)
{
    if (__atomic_load_n(&cxx.acquire, __ATOMIC_ACQUIRE))
        return;
    struct dlw_thread *self = dlw_thread_self();
    int kept = errno;
    dlw_guard_enter(self);
    cxx.release = (void (*)(int64_t *))find("__cxa_guard_release");
    cxx.abort = (void (*)(int64_t *))find("__cxa_guard_abort");
    __atomic_store_n(&cxx.acquire, (int (*)(int64_t *))find("__cxa_guard_acquire"),
                     __ATOMIC_RELEASE);
    dlw_guard_leave(self);
    errno = kept;
}

/* Both libraries keep "done" in the first byte and "running" in the second. */
static bool is_done(const int64_t *object)
{
    return __atomic_load_n((const char *)object, __ATOMIC_ACQUIRE) != 0;
}

static bool is_running(const int64_t *object)
{
    return __atomic_load_n((const char *)object + 1, __ATOMIC_ACQUIRE) != 0;
}

DLW_EXPORT int __cxa_guard_acquire(int64_t *object)
{
    struct dlw_thread *self = dlw_thread_self();
    struct dlw_call call = DLW_CALL_HERE();

    resolve();
    if (is_done(object) || dlw_thread_passes(self))
        return cxx.acquire(object);
    self->calls++;
    if (is_running(object))
        dlw_region_wait(self, object, DLW_LOCK_GUARD, DLW_WAIT_GUARD, call);
    int mine = cxx.acquire(object);
    dlw_wait_end(self);
    if (mine)
        dlw_region_enter(self, object, DLW_LOCK_GUARD, call);
    return mine;
}

DLW_EXPORT void __cxa_guard_release(int64_t *object)
{
    resolve();
    dlw_region_leave(dlw_thread_self(), object);
    cxx.release(object);
}

DLW_EXPORT void __cxa_guard_abort(int64_t *object)
{
    resolve();
    dlw_region_leave(dlw_thread_self(), object);
    cxx.abort(object);
}
