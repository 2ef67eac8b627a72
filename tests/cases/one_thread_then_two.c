// Harmless while one thread does both; real when another repeats one of them.
#include "case.h"
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;

static void both_orders(void)
{
    LOCK(a);
    LOCK(b);
    UNLOCK(b);
    UNLOCK(a);
    pthread_mutex_lock(&b);
    pthread_mutex_lock(&a);
    UNLOCK(a);
    UNLOCK(b);
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

int main(void)
{
    pthread_t f = spawn("both", both_orders), g = spawn("backward", backward);
    JOIN(f);
    JOIN(g);
    return 0;
}
