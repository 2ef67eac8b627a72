// What the joined thread took before it created the joiner is over when that one begins.
#include "case.h"
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_t first, second;

static void joins(void)
{
    await(2);
    LOCK(m);
    pthread_join(first, NULL);
    UNLOCK(m);
}

static void creates(void)
{
    LOCK(m);
    UNLOCK(m);
    second = spawn("joins", joins);
    step();
}

int main(void)
{
    first = spawn("creates", creates);
    step();
    await(2);
    JOIN(second);
    return 0;
}
