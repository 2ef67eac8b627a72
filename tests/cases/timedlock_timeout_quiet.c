// A timed lock that ran out was never taken: nothing was held when c came.
#include "case.h"
#include <time.h>
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, c = PTHREAD_MUTEX_INITIALIZER;

static void late(void)
{
    struct timespec past = {1, 0};
    await(1);
    if (pthread_mutex_timedlock(&a, &past) != ETIMEDOUT)
        abort();
    LOCK(c); // not under a
    UNLOCK(c);
    step();
}

static void holder(void)
{
    LOCK(a);
    step();
    await(2);
    UNLOCK(a);
    LOCK(c);
    LOCK(a);
    UNLOCK(a);
    UNLOCK(c);
}

int main(void)
{
    pthread_t l = spawn("late", late), h = spawn("holder", holder);
    JOIN(l);
    JOIN(h);
    return 0;
}
