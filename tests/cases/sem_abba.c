// Semaphores used as locks: each only ever goes 1-0-1, and who waits posts.
#include "case.h"
#include <semaphore.h>
static sem_t a, b;

static void use_well(void)
{
    sem_wait(&a);
    sem_post(&a);
    sem_wait(&b);
    sem_post(&b);
}

static void left(void)
{
    use_well();
    step();
    await(2);
    (sem_wait)(&a);
    step();
    await(4);
    sem_wait(&b);
}

static void right(void)
{
    use_well();
    step();
    await(2);
    (sem_wait)(&b);
    step();
    await(4);
    sem_wait(&a);
}

int main(void)
{
    sem_init(&a, 0, 1);
    sem_init(&b, 0, 1);
    pthread_t l = spawn("left", left), r = spawn("right", right);
    JOIN(l);
    JOIN(r);
    return 0;
}
