// options: stall_after=1
// One of the waits has a limit: no stall, it goes on by itself.
#include "case.h"
#include <semaphore.h>
#include <time.h>
static sem_t s;

static void rescuer(void)
{
    static sem_t never;
    struct timespec later;
    sem_init(&never, 0, 0);
    clock_gettime(CLOCK_REALTIME, &later);
    later.tv_sec += 3;
    sem_timedwait(&never, &later);
    sem_post(&s);
}

int main(void)
{
    sem_init(&s, 0, 0);
    pthread_t t = spawn("rescuer", rescuer);
    sem_wait(&s);
    JOIN(t);
    return 0;
}
