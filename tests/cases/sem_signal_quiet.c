// A semaphore that another thread posts is a signal: it has no holder and no order.
#include "case.h"
#include <semaphore.h>
static sem_t ping, pong;
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;

static void one(void)
{
    for (int i = 0; i < 500; i++) {
        sem_wait(&ping);
        LOCK(m);
        UNLOCK(m);
        sem_post(&pong);
    }
}

static void two(void)
{
    for (int i = 0; i < 500; i++) {
        LOCK(m);
        sem_post(&ping);
        UNLOCK(m);
        sem_wait(&pong);
    }
}

int main(void)
{
    sem_init(&ping, 0, 0);
    sem_init(&pong, 0, 0);
    pthread_t x = spawn("one", one), y = spawn("two", two);
    JOIN(x);
    JOIN(y);
    sem_destroy(&ping);
    sem_destroy(&pong);
    return 0;
}
