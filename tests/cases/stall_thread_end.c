// options: stall_after=1
// The last thread that could wake the others ends: nobody begins a wait any more.
#include "case.h"
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;

static void waiter(void)
{
    LOCK(m);
    step();
    pthread_cond_wait(&c, &m);
    UNLOCK(m);
}

static void forgetful(void)
{
    await(2);
    LOCK(m); /* the waiter has given it up */
    UNLOCK(m);
}

int main(void)
{
    name_main();
    pthread_t w = spawn("waiter", waiter), f = spawn("forgetful", forgetful);
    pthread_detach(f);
    step();
    JOIN(w);
    return 0;
}
