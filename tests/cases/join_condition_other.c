// The joiner has waited, but not for what the thread signalled last.
#include "case.h"
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t begun = PTHREAD_COND_INITIALIZER, leaves = PTHREAD_COND_INITIALIZER;
static int has_begun;

static void worker(void)
{
    LOCK(m);
    has_begun = 1;
    pthread_cond_signal(&begun);
    pthread_cond_signal(&leaves);
    UNLOCK(m);
}

int main(void)
{
    name_main();
    LOCK(m);
    pthread_t t = spawn("worker", worker);
    while (!has_begun)
        (pthread_cond_wait)(&begun, &m);
    pthread_join(t, NULL);
    UNLOCK(m);
    return 0;
}
