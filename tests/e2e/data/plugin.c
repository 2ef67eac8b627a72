/* A library that is opened, used and closed again before anything is found. */
#include <pthread.h>

void take_both(pthread_mutex_t *outer, pthread_mutex_t *inner);

static void my_lock(pthread_mutex_t *mutex)
{
    pthread_mutex_lock(mutex);
}

void take_both(pthread_mutex_t *outer, pthread_mutex_t *inner)
{
    my_lock(outer);
    my_lock(inner);
    pthread_mutex_unlock(inner);
    pthread_mutex_unlock(outer);
}
