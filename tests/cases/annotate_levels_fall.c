// The levels are as they were, and the order is not.
#include "case.h"
#include "interpose/include/dlwatch.h"
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;

static void forward(void)
{
    dlwatch_class(&a, "node", 1);
    dlwatch_class(&b, "node", 2);
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

int main(void)
{
    pthread_t f = spawn("forward", forward), g = spawn("backward", backward);
    JOIN(f);
    JOIN(g);
    return 0;
}
