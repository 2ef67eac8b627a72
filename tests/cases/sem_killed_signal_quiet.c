// As sem_killed, but before the end another thread posts what the second holds: a signal.
#include "case.h"
#include <semaphore.h>
#include <signal.h>
static sem_t a, b;

static void forward(void)
{
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
    step();
    await(3);
}

int main(void)
{
    sem_init(&a, 0, 1);
    sem_init(&b, 0, 1);
    pthread_t f = spawn("forward", forward);
    spawn("backward", backward);
    JOIN(f);
    await(2);
    sem_post(&b);
    kill(getpid(), SIGKILL);
    return 0;
}
