/* 200 threads that come and go: each wave of them is there at once, takes its locks and ends. */
#include <pthread.h>

enum { THREADS = 200, WAVES = 20, ROUNDS = 500 };

static pthread_mutex_t outer[THREADS], inner = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t all;
static volatile long shared;

static void *work(void *own)
{
    pthread_barrier_wait(&all);
    for (int i = 0; i < ROUNDS; i++) {
        pthread_mutex_lock(own);
        for (volatile int k = 0; k < 2000; k++) {
        }
        pthread_mutex_lock(&inner);
        shared++;
        pthread_mutex_unlock(&inner);
        pthread_mutex_unlock(own);
    }
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];

    pthread_barrier_init(&all, NULL, THREADS);
    for (int i = 0; i < THREADS; i++)
        pthread_mutex_init(&outer[i], NULL);
    for (int wave = 0; wave < WAVES; wave++) {
        for (int i = 0; i < THREADS; i++)
            pthread_create(&threads[i], NULL, work, &outer[i]);
        for (int i = 0; i < THREADS; i++)
            pthread_join(threads[i], NULL);
    }
    return 0;
}
