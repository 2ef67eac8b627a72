// Killed while the thread that closes the circle has posted neither of its semaphores: nothing says
// that they are no locks.
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
    kill(getpid(), SIGKILL);
}

int main(void)
{
    sem_init(&a, 0, 1);
    sem_init(&b, 0, 1);
    pthread_t f = spawn("forward", forward), g = spawn("backward", backward);
    JOIN(f);
    JOIN(g);
    return 0;
}
