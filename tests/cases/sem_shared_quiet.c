// Semaphores for several processes may be posted from anywhere: no locks, whatever they were.
#include "case.h"
#include <semaphore.h>
static sem_t a, b;

static void take_both(sem_t *first, sem_t *second)
{
    sem_wait(first);
    sem_wait(second);
    sem_post(second);
    sem_post(first);
}

static void forward(void)
{
    take_both(&a, &b);
    step();
}

static void backward(void)
{
    await(1);
    take_both(&b, &a);
}

int main(void)
{
    sem_init(&a, 0, 1);
    sem_init(&b, 0, 1);
    take_both(&a, &b);
    sem_init(&a, 1, 1);
    sem_init(&b, 1, 1);
    pthread_t f = spawn("forward", forward), w = spawn("backward", backward);
    JOIN(f);
    JOIN(w);
    return 0;
}
