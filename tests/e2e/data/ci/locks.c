#include "locks.h"

pthread_mutex_t accounts_lock = PTHREAD_MUTEX_INITIALIZER;
pthread_mutex_t audit_lock = PTHREAD_MUTEX_INITIALIZER;

static void take(pthread_mutex_t *first, pthread_mutex_t *second)
{
    pthread_mutex_lock(first);
    pthread_mutex_lock(second);
    pthread_mutex_unlock(second);
    pthread_mutex_unlock(first);
}

void *pay(void *unused)
{
    take(&accounts_lock, &audit_lock);
    return unused;
}

void *check(void *unused)
{
    take(&audit_lock, &accounts_lock);
    return unused;
}

/* In a thread of its own: what one test drives from main, a server runs in any. */
void run_in_thread(void *(*routine)(void *))
{
    pthread_t thread;

    pthread_create(&thread, 0, routine, 0);
    pthread_join(thread, 0);
}
