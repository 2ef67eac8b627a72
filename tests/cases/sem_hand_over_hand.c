// A semaphore kept when the one around it was let go, but posted without it: a lock like any.
// (Twin of sem_readers.)
#include "case.h"
#include <semaphore.h>
static sem_t a, b;

static void forward(void)
{
    (sem_wait)(&a);
    sem_wait(&b);
    sem_post(&a);
    sem_post(&b);
    step();
}

static void backward(void)
{
    await(1);
    (sem_wait)(&b);
    sem_wait(&a);
    sem_post(&a);
    sem_post(&b);
}

int main(void)
{
    sem_init(&a, 0, 1);
    sem_init(&b, 0, 1);
    pthread_t l = spawn("forward", forward), r = spawn("backward", backward);
    JOIN(l);
    JOIN(r);
    return 0;
}
