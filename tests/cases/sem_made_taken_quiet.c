// Made taken, which is how CPython makes an event: it means that the worker is over, and the worker
// alone posts it. That main waits for it under a lock is not what the worker once did under it.
#include "case.h"
#include <semaphore.h>
static sem_t over, state, woken;

static void worker(void)
{
    sem_init(&over, 0, 1);
    sem_trywait(&over);
    step();
    sem_wait(&state);
    sem_post(&woken);
    sem_post(&state);
    await(2);
    sem_post(&over);
}

int main(void)
{
    name_main();
    sem_init(&state, 0, 1);
    sem_init(&woken, 0, 0);
    sem_wait(&state);
    pthread_t w = spawn("worker", worker);
    await(1);
    sem_post(&state);
    sem_wait(&woken);
    sem_wait(&state);
    step();
    sem_wait(&over);
    sem_post(&over);
    sem_post(&state);
    JOIN(w);
    return 0;
}
