/* orders WAY: one thread takes two locks in the order that WAY names; two runs differ where one
 * doesn't. */
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static pthread_mutex_t config = PTHREAD_MUTEX_INITIALIZER, cache = PTHREAD_MUTEX_INITIALIZER;

static pthread_mutex_t *new_account(void)
{
    pthread_mutex_t *lock = malloc(sizeof(*lock));
    pthread_mutex_init(lock, NULL);
    return lock;
}

static void nest(pthread_mutex_t *outer, pthread_mutex_t *inner)
{
    pthread_mutex_lock(outer);
    pthread_mutex_lock(inner);
    pthread_mutex_unlock(inner);
    pthread_mutex_unlock(outer);
}

static void *work(void *way)
{
    if (strcmp(way, "reload") == 0)
        nest(&config, &cache);
    else if (strcmp(way, "evict") == 0)
        nest(&cache, &config);
    else { /* "transfer": two of one class, the lower address first */
        pthread_mutex_t *a = new_account(), *b = new_account();
        nest((uintptr_t)a < (uintptr_t)b ? a : b, (uintptr_t)a < (uintptr_t)b ? b : a);
        free(a);
        free(b);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t thread;
    pthread_create(&thread, NULL, work, argc > 1 ? argv[1] : "");
    pthread_join(thread, NULL);
    return 0;
}
