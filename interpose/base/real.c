#include "interpose/base/real.h"

#include <dlfcn.h>
#include <string.h>

struct dlw_real real;
struct dlw_libc dlw_libc;

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
        real.name = (type(*) parameters)dlsym(RTLD_NEXT, #name);
#include "interpose/base/wrapped.def"
#undef WRAP
    __atomic_store_n(&real.pthread_mutex_lock,
                     (int (*)(pthread_mutex_t *))dlsym(RTLD_NEXT, "pthread_mutex_lock"),
                     __ATOMIC_RELEASE);
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
