// The routine takes m; once, somebody asked for the once under m.
#include "case.h"
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;

static void routine(void)
{
    LOCK(m);
    UNLOCK(m);
}

static void first(void)
{
    pthread_once(&once, routine);
    step();
}

static void second(void)
{
    await(1);
    LOCK(m);
    pthread_once(&once, routine);
    UNLOCK(m);
}

int main(void)
{
    pthread_t x = spawn("first", first), y = spawn("second", second);
    JOIN(x);
    JOIN(y);
    return 0;
}
