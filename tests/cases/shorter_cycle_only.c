// a-b and b-a are told; the longer way round through c says nothing new.
#include "case.h"
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t c = PTHREAD_MUTEX_INITIALIZER;

static void take(pthread_mutex_t *first, pthread_mutex_t *second, pthread_mutex_t *third)
{
    LOCK(*first);
    LOCK(*second);
    if (third) {
        LOCK(*third);
        UNLOCK(*third);
    }
    UNLOCK(*second);
    UNLOCK(*first);
    step();
}

static void one(void)
{
    take(&a, &b, NULL);
}

static void two(void)
{
    await(1);
    take(&b, &a, NULL);
}

static void three(void)
{
    await(2);
    take(&a, &c, &b);
}

int main(void)
{
    pthread_t x = spawn("one", one), y = spawn("two", two), z = spawn("three", three);
    JOIN(x);
    JOIN(y);
    JOIN(z);
    return 0;
}
