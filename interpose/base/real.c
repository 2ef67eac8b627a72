#include "interpose/base/real.h"

#include "interpose/base/objects.h"
#include "interpose/base/platform.h"
#include "interpose/base/symbols.h"

#include <dlfcn.h>
#include <errno.h>
#include <gnu/libc-version.h>
#include <string.h>

struct dlw_real real;
struct dlw_libc dlw_libc;

#define EXPORTED(type, name, parameters) DLW_EXPORTED_ENTRY(name)
#define WRAP EXPORTED
#define THREADS_WRAP EXPORTED
#define OPTIONAL_WRAP EXPORTED
#define OWN_EXPORT EXPORTED
#define VARIADIC_WRAP(type, name, parameters)
#include "interpose/base/wrapped.def"
#undef WRAP
#undef THREADS_WRAP
#undef EXPORTED

#if DLW_OWN_OBJECTS
#define NEXT(name) dlw_symbol_next(name)
#else
#define NEXT(name) dlsym(RTLD_NEXT, name)
#endif

#if __GLIBC_PREREQ(2, 34)
#define THREADS_WRAP(type, name, parameters) real.name = (type(*) parameters)NEXT(#name);

bool dlw_libc_has_threads(void)
{
    return true;
}
#else
/*
 * libpthread is a library of its own, and not in every program: it must not be made a part of one
 * by us, since libstdc++ and others ask for one of its functions by a weak reference, to know
 * whether there can be threads. So nothing here refers to it but weakly (platform.h), and without
 * it its functions are these: the first that is called loads it, for itself alone, and fills in all
 * of them. No other thread is there yet that the loader could be waited for.
 */
static void resolve_late(void);

/* All take at most six arguments of a register each, and return one or nothing. */
#define WRAP(type, name, parameters)
#define THREADS_WRAP(type, name, parameters)                                                       \
    static long late_##name(long a, long b, long c, long d, long e, long f)                        \
    {                                                                                              \
        resolve_late();                                                                            \
        long (*function)(long, long, long, long, long, long) = (void *)real.name;                  \
        return function == late_##name ? ENOSYS : function(a, b, c, d, e, f);                      \
    }
#include "interpose/base/wrapped.def"
#undef THREADS_WRAP

static void resolve_late(void)
{
    void *library = dlopen("libpthread.so.0", RTLD_LAZY | RTLD_LOCAL);

    if (!library)
        return;
#define THREADS_WRAP(type, name, parameters) real.name = (type(*) parameters)dlsym(library, #name);
#include "interpose/base/wrapped.def"
#undef THREADS_WRAP
#undef WRAP
}

#define THREADS_WRAP(type, name, parameters)                                                       \
    real.name = dlw_libc_has_threads() ? (type(*) parameters)NEXT(#name)                           \
                                       : (type(*) parameters)(void *)late_##name;

bool dlw_libc_has_threads(void)
{
    return pthread_key_delete != NULL;
}
#endif

/*
 * Before glibc 2.36 dlsym(RTLD_NEXT) takes the oldest version of a name, and of some that is a
 * function of its own: conditions that held a pointer, another way to end or to start a process.
 * The library may run on an older one than it was built on. All of these names are there, so that
 * no look-up fails.
 */
static void take_newest(void)
{
#if !DLW_OWN_OBJECTS /* else symbols.h knows */
#define TAKE(name, version) real.name = (__typeof__(real.name))dlvsym(RTLD_NEXT, #name, version);
    if (strcmp(gnu_get_libc_version(), "2.36") < 0) {
        DLW_NEWER_VERSIONS(TAKE)
    }
#undef TAKE
#endif
}

/*
 * Every name here exists in the glibc that interpose/base/platform.h knows, so no look-up fails (a
 * failing one calls malloc). pthread_mutex_lock goes last: once it is set, all are.
 */
void dlw_real_resolve(void)
{
    if (__atomic_load_n(&real.pthread_mutex_lock, __ATOMIC_ACQUIRE))
        return;
#define WRAP(type, name, parameters)                                                               \
    if (strcmp(#name, "pthread_mutex_lock") != 0)                                                  \
        real.name = (type(*) parameters)NEXT(#name);
#include "interpose/base/wrapped.def"
#undef WRAP
#undef THREADS_WRAP
    take_newest();
    __atomic_store_n(&real.pthread_mutex_lock,
                     (int (*)(pthread_mutex_t *))NEXT("pthread_mutex_lock"), __ATOMIC_RELEASE);
}

void dlw_libc_start(void)
{
    void *libc = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);

    if (!libc)
        return;
    dlw_libc.clock_gettime = (__typeof__(dlw_libc.clock_gettime))dlsym(libc, "clock_gettime");
    dlw_libc.register_atfork =
        (__typeof__(dlw_libc.register_atfork))dlsym(libc, "__register_atfork");
    dlw_libc.exit = (__typeof__(dlw_libc.exit))dlsym(libc, "exit");
}
