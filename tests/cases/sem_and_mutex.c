// A semaphore that each gives back who took it, and a mutex, in both orders; handed on, not nested.
#include "case.h"
#include <semaphore.h>
static sem_t s;
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;

static void forward(void)
{
    sem_wait(&s);
    LOCK(m);
    UNLOCK(m);
    sem_post(&s);
    step();
}

static void backward(void)
{
    await(1);
    pthread_mutex_lock(&m);
    sem_wait(&s);
    UNLOCK(m);
    sem_post(&s);
}

int main(void)
{
    sem_init(&s, 0, 1);
    pthread_t f = spawn("forward", forward), g = spawn("backward", backward);
    JOIN(f);
    JOIN(g);
    return 0;
}
