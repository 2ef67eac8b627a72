/* What stands for a Java VM: a thread of it that ends with a lock in hand. */
#include <pthread.h>

static pthread_mutex_t threads_lock = PTHREAD_MUTEX_INITIALIZER;

static void *thread_native_entry(void *name)
{
    pthread_setname_np(pthread_self(), name);
    pthread_mutex_lock(&threads_lock);
    return NULL;
}

void end_holding(char *name)
{
    pthread_t thread;

    pthread_create(&thread, NULL, thread_native_entry, name);
    pthread_join(thread, NULL);
}

int is_taken(void)
{
    return pthread_mutex_trylock(&threads_lock) != 0;
}
