// Two mutexes in opposite orders, each thread already holding its first.
#include "case.h"
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;

static void left(void)
{
    LOCK(a);
    step();
    await(2);
    LOCK(b);
}

static void right(void)
{
    LOCK(b);
    step();
    await(2);
    LOCK(a);
}

int main(void)
{
    pthread_t l = spawn("left", left), r = spawn("right", right);
    JOIN(l);
    JOIN(r);
    return 0;
}
