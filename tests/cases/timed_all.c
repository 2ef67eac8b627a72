// Both second locks are asked for with a limit: nobody waits for ever.
#include "case.h"
#include <time.h>
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;

static int timed(pthread_mutex_t *mutex)
{
    struct timespec later;
    clock_gettime(CLOCK_REALTIME, &later);
    later.tv_sec += 60;
    return pthread_mutex_timedlock(mutex, &later);
}

static void left(void)
{
    LOCK(a);
    if (timed(&b) == 0)
        UNLOCK(b);
    UNLOCK(a);
    step();
}

static void right(void)
{
    await(1);
    LOCK(b);
    if (timed(&a) == 0)
        UNLOCK(a);
    UNLOCK(b);
}

int main(void)
{
    pthread_t l = spawn("left", left), r = spawn("right", right);
    JOIN(l);
    JOIN(r);
    return 0;
}
