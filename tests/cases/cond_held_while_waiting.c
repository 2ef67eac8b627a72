// A waiter must take its mutex back, signalled or not, from the signaller, who wants what the
// waiter kept: a deadlock through a condition wait.
#include "case.h"
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER, other = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static int ready;

static void waiter(void)
{
    LOCK(other);
    LOCK(m);
    step();
    while (!ready)
        pthread_cond_wait(&cond, &m);
    UNLOCK(m);
    UNLOCK(other);
}

static void signaller(void)
{
    await(1);
    LOCK(m); // only when the waiter waits
    ready = 1;
    pthread_cond_signal(&cond);
    LOCK(other);
    UNLOCK(other);
    UNLOCK(m);
}

int main(void)
{
    name_main();
    pthread_t w = spawn("waiter", waiter), s = spawn("signaller", signaller);
    JOIN(w);
    JOIN(s);
    return 0;
}
