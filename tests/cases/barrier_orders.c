// Both pass one barrier between the two orders.
#include "case.h"
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t middle;

static void forward(void)
{
    LOCK(a);
    LOCK(b);
    UNLOCK(b);
    UNLOCK(a);
    pthread_barrier_wait(&middle);
}

static void backward(void)
{
    pthread_barrier_wait(&middle);
    LOCK(b);
    LOCK(a);
    UNLOCK(a);
    UNLOCK(b);
}

int main(void)
{
    pthread_barrier_init(&middle, NULL, 2);
    pthread_t f = spawn("forward", forward), g = spawn("backward", backward);
    JOIN(f);
    JOIN(g);
    pthread_barrier_destroy(&middle);
    return 0;
}
