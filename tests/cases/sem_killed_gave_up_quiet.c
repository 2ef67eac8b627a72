// As sem_killed, but the second thread gave up waiting, and holds only one of the two.
#include "case.h"
#include <semaphore.h>
#include <signal.h>
static sem_t a, b;

static void forward(void)
{
    sem_wait(&a);
    sem_wait(&b);
    sem_post(&b);
    step();
    await(2);
}

static void backward(void)
{
    const struct timespec past = {1, 0};

    await(1);
    sem_wait(&b);
    sem_timedwait(&a, &past);
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
