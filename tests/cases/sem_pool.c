// A pool of two: each has one and wants another, and nobody else could give one.
#include "case.h"
#include <semaphore.h>
static sem_t pool;

static void job(void)
{
    sem_wait(&pool);
    sem_post(&pool);
    step();
    await(2);
    (sem_wait)(&pool);
    step();
    await(4);
    sem_wait(&pool);
}

int main(void)
{
    sem_init(&pool, 0, 2);
    pthread_t x = spawn("one", job), y = spawn("two", job);
    JOIN(x);
    JOIN(y);
    return 0;
}
