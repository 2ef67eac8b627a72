// The worker only tries for what main holds while it joins: a try never waits.
#include "case.h"
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;

static void worker(void)
{
    if (TRYLOCK(m) == 0)
        UNLOCK(m);
    step();
}

int main(void)
{
    pthread_t t = spawn("worker", worker);
    await(1);
    LOCK(m);
    JOIN(t);
    UNLOCK(m);
    return 0;
}
