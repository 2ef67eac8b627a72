// main waits for the worker's end with the lock that the worker still wants.
#include "case.h"
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;

static void worker(void)
{
    await(1);
    LOCK(m);
    UNLOCK(m);
}

int main(void)
{
    name_main();
    pthread_t t = spawn("worker", worker);
    pthread_mutex_lock(&m);
    step();
    JOIN(t);
    UNLOCK(m);
    return 0;
}
