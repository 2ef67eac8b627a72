// Made taken too, but then used as a lock, in both orders.
#include "case.h"
#include <semaphore.h>
static sem_t a, b;

static void forward(void)
{
    sem_init(&a, 0, 1);
    sem_trywait(&a);
    sem_wait(&b);
    sem_post(&b);
    sem_post(&a);
    sem_wait(&a);
    sem_wait(&b);
    sem_post(&b);
    sem_post(&a);
    step();
}

static void backward(void)
{
    await(1);
    sem_wait(&b);
    sem_wait(&a);
    sem_post(&a);
    sem_post(&b);
}

int main(void)
{
    sem_init(&b, 0, 1);
    pthread_t f = spawn("forward", forward), g = spawn("backward", backward);
    JOIN(f);
    JOIN(g);
    return 0;
}
