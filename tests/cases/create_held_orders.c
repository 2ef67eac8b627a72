// The creator holds `start` from before the create until after its own step. The thread must have
// had `start` before it comes to its step: that one is always later.
#include "case.h"
static pthread_mutex_t start = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;

static void worker(void)
{
    LOCK(start);
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
    JOIN(t);
    return 0;
}
