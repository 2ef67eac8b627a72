// An inversion is found while signal handlers that lock come between its steps.
#include "case.h"
#include <signal.h>
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t handlers = PTHREAD_MUTEX_INITIALIZER;
static int handled;

static void handle(int number)
{
    (void)number;
    if (TRYLOCK(handlers) == 0)
        UNLOCK(handlers);
    handled++;
}

static void hurt(void)
{
    raise(SIGUSR1);
}

static void forward(void)
{
    hurt();
    LOCK(a);
    hurt();
    LOCK(b);
    hurt();
    UNLOCK(b);
    UNLOCK(a);
    step();
}

static void backward(void)
{
    await(1);
    LOCK(b);
    hurt();
    LOCK(a);
    hurt();
    UNLOCK(a);
    hurt();
    UNLOCK(b);
}

int main(void)
{
    signal(SIGUSR1, handle);
    pthread_t f = spawn("forward", forward), g = spawn("backward", backward);
    JOIN(f);
    JOIN(g);
    return handled == 6 ? 0 : 1;
}
