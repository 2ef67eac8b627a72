// A deadlock is one also where a semaphore was made taken: nobody is left who could post it.
#include "case.h"
#include <semaphore.h>
static sem_t a;
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;

static void left(void)
{
    sem_init(&a, 0, 1);
    (sem_trywait)(&a);
    step();
    await(2);
    LOCK(m);
}

static void right(void)
{
    await(1);
    (pthread_mutex_lock)(&m);
    step();
    sem_wait(&a);
}

int main(void)
{
    pthread_t l = spawn("left", left), r = spawn("right", right);
    JOIN(l);
    JOIN(r);
    return 0;
}
