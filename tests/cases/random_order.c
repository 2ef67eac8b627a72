// One inversion in a storm of random locking is found, and nothing else.
#include "case.h"
static pthread_mutex_t a, b;

static void forward(void)
{
    LOCK(a);
    LOCK(b);
    UNLOCK(b);
    UNLOCK(a);
    step();
}

static void backward(void)
{
    await(1);
    LOCK(b);
    LOCK(a);
    UNLOCK(a);
    UNLOCK(b);
}

static void one_of_them(void)
{
    static int n;
    int i = __atomic_fetch_add(&n, 1, __ATOMIC_SEQ_CST);
    if (i == 0)
        forward();
    else if (i == 1)
        backward();
}
#define IN_THE_MIDDLE() one_of_them()
#include "random_order_quiet.c"
