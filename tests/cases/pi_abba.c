// Priority inheritance: the kernel sees the cycle too, glibc then sleeps for ever.
#include "case.h"
static pthread_mutex_t a, b;

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
    pthread_mutexattr_t attr;
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT);
    pthread_mutex_init(&a, &attr);
    pthread_mutex_init(&b, &attr);
    pthread_t l = spawn("left", left), r = spawn("right", right);
    JOIN(l);
    JOIN(r);
    return 0;
}
