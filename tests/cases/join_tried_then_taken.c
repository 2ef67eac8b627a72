// The worker tries for the lock first, and then asks for it: that can wait for main.
#include "case.h"
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;

static void worker(void)
{
    if (TRYLOCK(m) == 0)
        UNLOCK(m);
    LOCK(m);
    UNLOCK(m);
    step();
}

int main(void)
{
    name_main();
    pthread_t t = spawn("worker", worker);
    await(1);
    pthread_mutex_lock(&m);
    JOIN(t);
    UNLOCK(m);
    return 0;
}
