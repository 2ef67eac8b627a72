// The creator's step comes in a later hold of the same lock: that one the thread need not have
// waited for. The same step under the first hold changes nothing. (Twin of create_held_orders.)
#include "case.h"
static pthread_mutex_t start = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;

static void worker(void)
{
    LOCK(start);
    UNLOCK(start);
    step();
    await(2);
    LOCK(b);
    LOCK(a);
    UNLOCK(a);
    UNLOCK(b);
}

static void under_start(void)
{
    LOCK(a);
    LOCK(b);
    UNLOCK(b);
    UNLOCK(a);
    UNLOCK(start);
}

int main(void)
{
    name_main();
    LOCK(start);
    pthread_t t = spawn("worker", worker);
    under_start();
    await(1);
    LOCK(start);
    under_start();
    step();
    JOIN(t);
    return 0;
}
