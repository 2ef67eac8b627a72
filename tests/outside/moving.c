/*
 * Threads that take two locks in both orders all the time, but never at once: whoever looks from
 * outside finds every mixture of holders and waiters, and never a circle that stands. Ends with 0
 * when its input ends.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

enum { THREADS = 6 };

pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
pthread_mutex_t left = PTHREAD_MUTEX_INITIALIZER, right = PTHREAD_MUTEX_INITIALIZER;
static atomic_bool is_over;

static void take(pthread_mutex_t *first, pthread_mutex_t *second)
{
    pthread_mutex_lock(&gate);
    pthread_mutex_lock(first);
    pthread_mutex_lock(second);
    pthread_mutex_unlock(&gate);
    pthread_mutex_unlock(second);
    pthread_mutex_unlock(first);
}

static void *move(void *argument)
{
    while (!atomic_load(&is_over)) {
        if (argument)
            take(&left, &right);
        else
            take(&right, &left);
    }
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    char byte;
    for (size_t i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, move, (void *)(i % 2));
    printf("ready %d\n", (int)getpid());
    fflush(stdout);
    while (read(0, &byte, 1) > 0)
        continue;
    atomic_store(&is_over, 1);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    puts("done");
    return 0;
}
