/*
 * Many semaphores that other processes could use, one after the other at places of their own:
 * destroyed, unmapped without being destroyed, closed. What is kept of them goes with them.
 */
// quiet
#include "tell.h"
#include <fcntl.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <sys/stat.h>

enum { DESTROYED = 60000, UNMAPPED = 3000, NAMED = 300, PAGE = 4096, LITTLE = 1 << 20 };

/* Of the process, but for files and what it shares. */
static long private_bytes(void)
{
    long size, resident, shared;
    FILE *file = fopen("/proc/self/statm", "r");

    if (!file || fscanf(file, "%ld %ld %ld", &size, &resident, &shared) != 3)
        exit(2);
    fclose(file);
    return (resident - shared) * sysconf(_SC_PAGESIZE);
}

static void use(sem_t *semaphore)
{
    sem_wait(semaphore);
    sem_post(semaphore);
}

static void *map(void *at, size_t size)
{
    void *memory =
        mmap(at, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (memory == MAP_FAILED)
        exit(2);
    return memory;
}

static void destroyed(int n)
{
    sem_t *all = map(NULL, n * sizeof(*all));

    for (int i = 0; i < n; i++) {
        sem_init(&all[i], 1, 1);
        use(&all[i]);
        sem_destroy(&all[i]);
    }
    munmap(all, n * sizeof(*all));
}

static void unmapped(int n)
{
    char *room = map(NULL, (size_t)n * PAGE);

    for (int i = 0; i < n; i++) {
        sem_t *semaphore = (sem_t *)(room + (size_t)i * PAGE);
        sem_init(semaphore, 1, 1);
        use(semaphore);
        munmap(semaphore, PAGE);
    }
}

static void named(int n)
{
    char name[64];

    snprintf(name, sizeof(name), "/dlwatch-test-%d", (int)getpid());
    for (int i = 0; i < n; i++) {
        sem_t *semaphore = sem_open(name, O_CREAT | O_EXCL, 0600, 1);
        if (semaphore == SEM_FAILED)
            return; /* not allowed here */
        use(semaphore);
        sem_unlink(name);
        sem_close(semaphore);
        map(NULL, PAGE); /* the next comes elsewhere */
    }
}

static void watch(const char *what, void (*run)(int), int n)
{
    run(n / 100);
    long before = private_bytes();
    run(n);
    say("%s: grew by %s", what, private_bytes() - before < LITTLE ? "little" : "much");
}

int main(void)
{
    watch("destroyed", destroyed, DESTROYED);
    watch("unmapped", unmapped, UNMAPPED);
    watch("named", named, NAMED);
    return 0;
}
