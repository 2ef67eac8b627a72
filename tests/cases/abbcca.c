// Three threads, three mutexes, a ring.
#include "case.h"
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t c = PTHREAD_MUTEX_INITIALIZER;

static void one(void)
{
    LOCK(a);
    step();
    await(3);
    LOCK(b);
}

static void two(void)
{
    LOCK(b);
    step();
    await(3);
    LOCK(c);
}

static void three(void)
{
    LOCK(c);
    step();
    await(3);
    LOCK(a);
}

int main(void)
{
    pthread_t x = spawn("one", one), y = spawn("two", two), z = spawn("three", three);
    JOIN(x);
    JOIN(y);
    JOIN(z);
    return 0;
}
