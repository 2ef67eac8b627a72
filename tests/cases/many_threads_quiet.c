// Threads one after another, each with a nested lock: memory follows those that are alive.
// limit: 240
#include "case.h"
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;

static void *nest(void *arg)
{
    LOCK(a);
    LOCK(b);
    UNLOCK(b);
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
    long before = 0;
    for (int i = 0; i < 20000; i++) {
        pthread_t t;
        if (i == 2000)
            before = resident_kb();
        if (pthread_create(&t, NULL, nest, NULL) || JOIN(t))
            abort();
    }
    if (resident_kb() - before > 8192)
        printf("grew by %ld KiB\n", resident_kb() - before);
    return 0;
}
