// A pool that somebody fills up in time: a free thread could always post.
#include "case.h"
#include <semaphore.h>
static sem_t pool;

static void job(void)
{
    sem_wait(&pool);
    step();
    await(2);
    sem_wait(&pool);
    sem_post(&pool);
    sem_post(&pool);
}

static void owner(void)
{
    await(2);
    for (int i = 0; i < 5000; i++)
        sched_yield();
    sem_post(&pool);
}

int main(void)
{
    sem_init(&pool, 0, 2);
    pthread_t x = spawn("one", job), y = spawn("two", job), z = spawn("owner", owner);
    JOIN(x);
    JOIN(y);
    JOIN(z);
    return 0;
}
