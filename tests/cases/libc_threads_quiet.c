// Threads that libc makes by itself (timers, lookups) don't pass our pthread_create: their records
// go with them all the same.
#include "case.h"
#include <dlfcn.h>
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;

static void *work(void *arg)
{
    LOCK(a);
    UNLOCK(a);
    return arg;
}

static long resident_kb(void)
{
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (!f || fscanf(f, "%*d %ld", &pages) != 1)
        abort();
    fclose(f);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

int main(void)
{
    void *libc = dlopen("libpthread.so.0", RTLD_LAZY | RTLD_NOLOAD); /* before glibc 2.34 */
    int (*create)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    long before = 0;
    if (!libc)
        libc = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);
    *(void **)&create = dlsym(libc, "pthread_create");
    for (int i = 0; i < 3000; i++) {
        pthread_t t;
        if (i == 500)
            before = resident_kb();
        if (create(&t, NULL, work, NULL) || JOIN(t))
            abort();
    }
    if (resident_kb() - before > 8192)
        printf("grew by %ld KiB\n", resident_kb() - before);
    return 0;
}
