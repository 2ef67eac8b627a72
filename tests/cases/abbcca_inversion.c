// The ring of three, one after another.
#include "case.h"
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t c = PTHREAD_MUTEX_INITIALIZER;

static void one(void)
{
    LOCK(a);
    LOCK(b);
    UNLOCK(b);
    UNLOCK(a);
    step();
}

static void two(void)
{
    await(1);
    LOCK(b);
    LOCK(c);
    UNLOCK(c);
    UNLOCK(b);
    step();
}

static void three(void)
{
    await(2);
    LOCK(c);
    LOCK(a);
    UNLOCK(a);
    UNLOCK(c);
}

int main(void)
{
    pthread_t x = spawn("one", one), y = spawn("two", two), z = spawn("three", three);
    JOIN(x);
    JOIN(y);
    JOIN(z);
    return 0;
}
