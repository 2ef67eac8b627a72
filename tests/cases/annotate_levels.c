// Parent before child; then the child became the parent, and the levels say so.
#include "case.h"
#include "interpose/include/dlwatch.h"
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;

static void place(pthread_mutex_t *parent, pthread_mutex_t *child)
{
    dlwatch_class(parent, "node", 1);
    dlwatch_class(child, "node", 2);
}

static void forward(void)
{
    place(&a, &b);
    LOCK(a);
    LOCK(b);
    UNLOCK(b);
    UNLOCK(a);
    step();
}

static void backward(void)
{
    await(1);
    place(&b, &a);
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
