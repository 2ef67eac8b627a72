/* Brings libpthread to a program that came without, and uses it. */
#include "../tell.h"
#include <semaphore.h>
#include <stdbool.h>

int late_threads_play(void);

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static sem_t semaphore;
static bool is_told;

static void teller(void)
{
    LOCK(mutex);
    is_told = true;
    pthread_cond_signal(&cond);
    UNLOCK(mutex);
    TELL(pthread_rwlock_tryrdlock(&rwlock));
    sem_post(&semaphore);
}

int late_threads_play(void)
{
    TELL(sem_init(&semaphore, 0, 0));
    TELL(pthread_rwlock_wrlock(&rwlock));
    LOCK(mutex);
    TELL(pthread_mutex_trylock(&mutex));
    pthread_t t = spawn("teller", teller);
    while (!is_told)
        pthread_cond_wait(&cond, &mutex);
    UNLOCK(mutex);
    TELL(sem_wait(&semaphore));
    JOIN(t);
    TELL(pthread_rwlock_unlock(&rwlock));
    return 7;
}
