// Locks that live and die, with init and destroy and without: their memory comes back.
// limit: 240
#include "case.h"
static pthread_mutex_t outer = PTHREAD_MUTEX_INITIALIZER;

static void live(int initialised)
{
    pthread_mutex_t *m = malloc(sizeof *m);
    if (initialised)
        pthread_mutex_init(m, NULL);
    else
        *m = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    LOCK(outer);
    LOCK(*m);
    UNLOCK(*m);
    UNLOCK(outer);
    if (initialised)
        pthread_mutex_destroy(m);
    free(m);
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
    for (int i = 0; i < 600000; i++) {
        if (i == 100000)
            before = resident_kb();
        live(i & 1);
    }
    if (resident_kb() - before > 8192)
        printf("grew by %ld KiB\n", resident_kb() - before);
    return 0;
}
