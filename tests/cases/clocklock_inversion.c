// The same with a clock of choice, over read-write locks.
#include "case.h"
#include <time.h>
static pthread_rwlock_t a = PTHREAD_RWLOCK_INITIALIZER, b = PTHREAD_RWLOCK_INITIALIZER;

static void forward(void)
{
    struct timespec later;
    clock_gettime(CLOCK_MONOTONIC, &later);
    later.tv_sec += 60;
    RDLOCK(a);
    if (pthread_rwlock_clockwrlock(&b, CLOCK_MONOTONIC, &later) == 0)
        RWUNLOCK(b);
    RWUNLOCK(a);
    step();
}

static void backward(void)
{
    await(1);
    RDLOCK(b);
    WRLOCK(a);
    RWUNLOCK(a);
    RWUNLOCK(b);
}

int main(void)
{
    pthread_t f = spawn("forward", forward), g = spawn("backward", backward);
    JOIN(f);
    JOIN(g);
    return 0;
}
