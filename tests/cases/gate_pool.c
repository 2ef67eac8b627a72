// Five philosophers, and a semaphore that lets four of them sit down: one always gets both forks.
#include "case.h"
#include <semaphore.h>
static pthread_mutex_t fork_[5] = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER,
                                   PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER,
                                   PTHREAD_MUTEX_INITIALIZER};
static sem_t seats;

static void *dine(void *arg)
{
    long i = (long)arg;
    await((int)i);
    sem_wait(&seats);
    LOCK(fork_[i]);
    LOCK(fork_[(i + 1) % 5]);
    UNLOCK(fork_[(i + 1) % 5]);
    UNLOCK(fork_[i]);
    sem_post(&seats);
    step();
    return NULL;
}

int main(void)
{
    pthread_t t[5];
    sem_init(&seats, 0, 4);
    for (long i = 0; i < 5; i++)
        pthread_create(&t[i], NULL, dine, (void *)i);
    for (int i = 0; i < 5; i++)
        JOIN(t[i]);
    return 0;
}
