// Initialised again without destroy, it is another, too.
#include "case.h"
static pthread_mutex_t a, b;

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
    pthread_mutex_init(&a, NULL);
    pthread_mutex_init(&b, NULL);
    pthread_t f = spawn("forward", forward), g = spawn("backward", backward);
    await(1);
    pthread_mutex_init(&a, NULL);
    step();
    JOIN(f);
    JOIN(g);
    return 0;
}
