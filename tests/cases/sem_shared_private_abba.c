// options: stall_after=1
// A semaphore, and a mutex made for several processes, in memory of this one alone.
#include "case.h"
#include <semaphore.h>
static pthread_mutex_t m;
static sem_t s;

static void one(void)
{
    pthread_mutex_lock(&m);
    step();
    await(2);
    (sem_wait)(&s);
}

static void two(void)
{
    sem_wait(&s);
    step();
    await(2);
    (pthread_mutex_lock)(&m);
}

int main(void)
{
    pthread_mutexattr_t mutex;
    name_main();
    pthread_mutexattr_init(&mutex);
    pthread_mutexattr_setpshared(&mutex, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(&m, &mutex);
    sem_init(&s, 0, 1);
    pthread_t a = spawn("one", one), b = spawn("two", two);
    JOIN(a);
    JOIN(b);
    return 0;
}
