// The thread only tries for the creator's lock, and goes on without it: nothing is ordered. (Twin
// of create_held_orders.)
#include "case.h"
static pthread_mutex_t start = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;

static void worker(void)
{
    await(1);
    if (TRYLOCK(start) == 0)
        UNLOCK(start);
    LOCK(b);
    LOCK(a);
    UNLOCK(a);
    UNLOCK(b);
}

int main(void)
{
    name_main();
    LOCK(start);
    pthread_t t = spawn("worker", worker);
    LOCK(a);
    LOCK(b);
    UNLOCK(b);
    UNLOCK(a);
    UNLOCK(start);
    step();
    JOIN(t);
    return 0;
}
