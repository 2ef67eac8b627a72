// Under ten thousand locks the cycle is still found: the first of them closes it.
#include "case.h"
static pthread_mutex_t locks[10000];
static pthread_mutex_t last = PTHREAD_MUTEX_INITIALIZER;

static void many(void)
{
    for (int i = 0; i < 10000; i++)
        LOCK(locks[i]);
    step();
    await(2);
    LOCK(last);
}

static void one(void)
{
    LOCK(last);
    step();
    await(2);
    LOCK(locks[0]);
}

int main(void)
{
    for (int i = 0; i < 10000; i++)
        pthread_mutex_init(&locks[i], NULL);
    pthread_t x = spawn("many", many), y = spawn("one", one);
    JOIN(x);
    JOIN(y);
    return 0;
}
