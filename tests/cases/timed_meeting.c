// Both really wait for each other, with limits: both get out, so it is no deadlock.
#include "case.h"
#include <time.h>
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;

static void wait_for(pthread_mutex_t *held, pthread_mutex_t *wanted)
{
    struct timespec soon;
    LOCK(*held);
    step();
    await(2);
    clock_gettime(CLOCK_REALTIME, &soon);
    soon.tv_nsec += 50 * 1000 * 1000;
    soon.tv_sec += soon.tv_nsec / 1000000000;
    soon.tv_nsec %= 1000000000;
    if (pthread_mutex_timedlock(wanted, &soon) == 0)
        UNLOCK(*wanted);
    UNLOCK(*held);
}

static void left(void)
{
    wait_for(&a, &b);
}

static void right(void)
{
    wait_for(&b, &a);
}

int main(void)
{
    pthread_t l = spawn("left", left), r = spawn("right", right);
    JOIN(l);
    JOIN(r);
    return 0;
}
