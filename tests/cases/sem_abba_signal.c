// Two semaphores that only their takers touch are locks: certain, also while a signal is caught, as
// in every Python program.
#include "case.h"
#include <semaphore.h>
#include <signal.h>
static sem_t a, b;

static void nothing(int signal)
{
    (void)signal;
}

static void left(void)
{
    (sem_wait)(&a);
    step();
    await(2);
    sem_wait(&b);
}

static void right(void)
{
    (sem_wait)(&b);
    step();
    await(2);
    sem_wait(&a);
}

int main(void)
{
    signal(SIGINT, nothing);
    sem_init(&a, 0, 1);
    sem_init(&b, 0, 1);
    pthread_t l = spawn("left", left), r = spawn("right", right);
    JOIN(l);
    JOIN(r);
    return 0;
}
