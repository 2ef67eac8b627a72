// A thread that libc made by itself ends with a lock: noticed like any other's end.
#include "case.h"
#include <dlfcn.h>
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;

static void *take(void *arg)
{
    pthread_setname_np(pthread_self(), "made by libc");
    LOCK(a);
    return arg;
}

int main(void)
{
    void *libc = dlopen("libpthread.so.0", RTLD_LAZY | RTLD_NOLOAD); /* before glibc 2.34 */
    int (*create)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    pthread_t t;
    name_main();
    if (!libc)
        libc = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);
    *(void **)&create = dlsym(libc, "pthread_create");
    if (create(&t, NULL, take, NULL))
        abort();
    JOIN(t);
    return 0;
}
