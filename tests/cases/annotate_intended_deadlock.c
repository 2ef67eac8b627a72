// Meant or not: a deadlock is one.
#include "case.h"
#include "interpose/include/dlwatch.h"
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
    dlwatch_intended(&b, &a);
    dlwatch_intended(&a, &b);
    pthread_t l = spawn("left", left), r = spawn("right", right);
    JOIN(l);
    JOIN(r);
    return 0;
}
