/* Two threads come to a deadlock, one of them after all that a time line tells apart. With an
 * argument nothing happens but what is no finding. */
#include "../case.h"

#include <sys/syscall.h>

static pthread_mutex_t spare[40], outer = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t inner = PTHREAD_MUTEX_INITIALIZER, busy = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t first = PTHREAD_MUTEX_INITIALIZER, second = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t table = PTHREAD_RWLOCK_INITIALIZER;
static int walker_tid;
static int is_quiet;

static void walk(void)
{
    walker_tid = (int)syscall(SYS_gettid);
    for (int i = 0; i < 40; i++) {
        LOCK(spare[i]);
        UNLOCK(spare[i]);
    }
    LOCK(outer);
    LOCK(inner);
    UNLOCK(outer); /* in the order taken */
    UNLOCK(inner);
    RDLOCK(table);
    RWUNLOCK(table);
    for (int i = 0; i < 3; i++)
        TRYLOCK(busy);
    step();
    LOCK(busy);
    UNLOCK(busy);
    LOCK(first);
    step();
    await(3);
    if (!is_quiet)
        LOCK(second);
    UNLOCK(first);
}

/* Does the walker sleep? */
static int is_asleep(void)
{
    char path[64], state = 0;
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", walker_tid);
    FILE *file = fopen(path, "r");
    if (!file || fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
        exit(98);
    fclose(file);
    return state == 'S';
}

int main(int argc, char **argv)
{
    (void)argv;
    is_quiet = argc > 1;
    name_main();
    LOCK(busy);
    pthread_t walker = spawn("walker", walk);
    await(1);
    while (!is_asleep())
        sched_yield();
    UNLOCK(busy);
    await(2);
    LOCK(second);
    step();
    if (!is_quiet)
        LOCK(first);
    UNLOCK(second);
    JOIN(walker);
    return 0;
}
