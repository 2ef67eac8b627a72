// The same where the worker was quick enough: it had taken the lock before main did.
#include "case.h"
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;

static void worker(void)
{
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
