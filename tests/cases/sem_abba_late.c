// Two semaphores: while main still runs the orders are an inversion that is to be told later; when
// it waits as well they are the deadlock, and that alone.
#include "asleep.h"
#include <semaphore.h>
static sem_t a, b;
static pid_t tids[2];

static void left(void)
{
    tids[0] = gettid();
    (sem_wait)(&a);
    step();
    await(2);
    sem_wait(&b);
}

static void right(void)
{
    tids[1] = gettid();
    (sem_wait)(&b);
    step();
    await(2);
    sem_wait(&a);
}

int main(void)
{
    name_main();
    sem_init(&a, 0, 1);
    sem_init(&b, 0, 1);
    pthread_t l = spawn("left", left), r = spawn("right", right);
    await(2);
    await_asleep(tids[0]);
    await_asleep(tids[1]);
    JOIN(l);
    JOIN(r);
    return 0;
}
