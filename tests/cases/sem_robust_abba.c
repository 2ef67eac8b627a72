// A semaphore and a robust mutex, which looks as if it were shared between processes.
// limit: 10
#include "case.h"
#include <semaphore.h>
static sem_t s;
static pthread_mutex_t m;

static void left(void)
{
    sem_wait(&s);
    step();
    await(2);
    LOCK(m);
}

static void right(void)
{
    (pthread_mutex_lock)(&m);
    step();
    await(2);
    (sem_wait)(&s);
}

int main(void)
{
    pthread_mutexattr_t attr;
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&m, &attr);
    sem_init(&s, 0, 1);
    pthread_t l = spawn("left", left), r = spawn("right", right);
    JOIN(l);
    JOIN(r);
    return 0;
}
