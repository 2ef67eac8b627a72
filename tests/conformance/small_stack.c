/* Threads with the smallest stacks can be made, and lock, and make new orders. */
// quiet
#include "tell.h"
#include <limits.h>

static pthread_mutex_t locks[300];

static void *use(void *arg)
{
    long i = (long)arg;
    LOCK(locks[i]);
    LOCK(locks[i + 1]);
    UNLOCK(locks[i + 1]);
    UNLOCK(locks[i]);
    return NULL;
}

int main(void)
{
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    for (int i = 0; i < 300; i++)
        pthread_mutex_init(&locks[i], NULL);
    TELL(pthread_attr_setstacksize(&attr, (size_t)PTHREAD_STACK_MIN));
    for (long i = 0; i < 200; i++) {
        pthread_t t;
        if (pthread_create(&t, &attr, use, (void *)i) || pthread_join(t, NULL))
            say("failed at %ld", i);
    }
    say("done");
    return 0;
}
