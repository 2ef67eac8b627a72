/*
 * A cache that looks up under a read lock and, on a miss, asks for the write lock
 * without giving the read lock back. Read locks can't be upgraded: the writer waits
 * until all readers have gone, and one of them is itself.
 */
#include <pthread.h>
#include <stdio.h>

static pthread_rwlock_t cache_lock = PTHREAD_RWLOCK_INITIALIZER;
static int cache[64];

static void fill(int key)
{
    pthread_rwlock_wrlock(&cache_lock);
    cache[key] = key * key;
    pthread_rwlock_unlock(&cache_lock);
}

static int look_up(int key)
{
    pthread_rwlock_rdlock(&cache_lock);
    if (!cache[key])
        fill(key);
    int value = cache[key];
    pthread_rwlock_unlock(&cache_lock);
    return value;
}

int main(void)
{
    printf("7 squared is %d\n", look_up(7));
    return 0;
}
