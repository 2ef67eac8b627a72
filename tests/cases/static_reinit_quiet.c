// Assigned its static initialiser again, it is another.
#include "case.h"
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;

static void take(pthread_mutex_t *first, pthread_mutex_t *second)
{
    LOCK(*first);
    LOCK(*second);
    UNLOCK(*second);
    UNLOCK(*first);
}

static void forward(void)
{
    take(&a, &b);
    step();
}

static void backward(void)
{
    await(2);
    take(&b, &a);
}

int main(void)
{
    pthread_t f = spawn("forward", forward), g = spawn("backward", backward);
    await(1);
    a = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    step();
    JOIN(f);
    JOIN(g);
    return 0;
}
