// Joined under the lock under which the thread has signalled, the last time that it held it: a
// condition seems to keep the two apart.
#include "case.h"
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t leaves = PTHREAD_COND_INITIALIZER;
static int is_leaving;

static void worker(void)
{
    LOCK(m);
    is_leaving = 1;
    pthread_cond_signal(&leaves);
    UNLOCK(m);
}

int main(void)
{
    name_main();
    LOCK(m);
    pthread_t t = spawn("worker", worker);
    while (!is_leaving)
        (pthread_cond_wait)(&leaves, &m);
    pthread_join(t, NULL);
    UNLOCK(m);
    return 0;
}
