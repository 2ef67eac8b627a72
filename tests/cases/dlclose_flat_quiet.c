// A library that is loaded and unloaded again and again leaves nothing behind.
#include "case.h"
#include <dlfcn.h>

enum { FIRST = 30, ALL = 150, MOST_KIB = 1024 };

static long resident_kib(void)
{
    long pages = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file || fscanf(file, "%ld %ld", &pages, &resident) != 2)
        abort();
    fclose(file);
    return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

static void load_and_unload(pthread_mutex_t *lock)
{
    void *handle = dlopen("many_places.so", RTLD_NOW);
    void (*take_everywhere)(pthread_mutex_t *);
    *(void **)&take_everywhere = dlsym(handle, "take_everywhere");
    take_everywhere(lock);
    dlclose(handle);
}

int main(void)
{
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    long before = 0;
    for (int i = 0; i < ALL; i++) {
        if (i == FIRST)
            before = resident_kib();
        load_and_unload(&lock);
    }
    long grown = resident_kib() - before;
    if (grown > MOST_KIB)
        printf("grew by %ld KiB\n", grown);
    return 0;
}
