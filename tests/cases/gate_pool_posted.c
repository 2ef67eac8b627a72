// The pool's last unit but one is given by a thread that took none: from then on it bounds nothing.
#include "case.h"
#include <semaphore.h>
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER,
                       c = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t *const ring[] = {&a, &b, &c};
static sem_t seats;

static void *take(void *arg)
{
    long i = (long)arg;
    await((int)i + 1);
    sem_wait(&seats);
    pthread_mutex_lock(ring[i]);
    pthread_mutex_lock(ring[(i + 1) % 3]);
    pthread_mutex_unlock(ring[(i + 1) % 3]);
    pthread_mutex_unlock(ring[i]);
    sem_post(&seats);
    step();
    return NULL;
}

int main(void)
{
    pthread_t t[3];
    name_main();
    sem_init(&seats, 0, 2);
    for (long i = 0; i < 3; i++)
        pthread_create(&t[i], NULL, take, (void *)i);
    sem_post(&seats);
    step();
    for (int i = 0; i < 3; i++)
        JOIN(t[i]);
    return 0;
}
