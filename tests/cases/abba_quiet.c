// Two mutexes, always in the same order, under contention.
#include "case.h"
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;

static void both(void)
{
    for (int i = 0; i < 2000; i++) {
        LOCK(a);
        LOCK(b);
        UNLOCK(b);
        UNLOCK(a);
    }
}

int main(void)
{
    pthread_t l = spawn("left", both), r = spawn("right", both);
    JOIN(l);
    JOIN(r);
    return 0;
}
