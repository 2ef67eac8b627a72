// Three threads, three mutexes, no ring: the third takes a before c.
#include "case.h"
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t c = PTHREAD_MUTEX_INITIALIZER;

static void take(pthread_mutex_t *first, pthread_mutex_t *second)
{
    LOCK(*first);
    LOCK(*second);
    UNLOCK(*second);
    UNLOCK(*first);
    step();
}

static void one(void)
{
    take(&a, &b);
}

static void two(void)
{
    await(1);
    take(&b, &c);
}

static void three(void)
{
    await(2);
    take(&a, &c);
}

int main(void)
{
    pthread_t x = spawn("one", one), y = spawn("two", two), z = spawn("three", three);
    JOIN(x);
    JOIN(y);
    JOIN(z);
    return 0;
}
