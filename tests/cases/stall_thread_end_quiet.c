// options: stall_after=1
// The same, but the last one that ends has woken the others before.
#include "case.h"
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
static int ready;

static void waiter(void)
{
    LOCK(m);
    step();
    while (!ready)
        pthread_cond_wait(&c, &m);
    UNLOCK(m);
}

static void mindful(void)
{
    await(2);
    LOCK(m);
    ready = 1;
    pthread_cond_signal(&c);
    UNLOCK(m);
}

int main(void)
{
    name_main();
    pthread_t w = spawn("waiter", waiter), f = spawn("mindful", mindful);
    pthread_detach(f);
    step();
    JOIN(w);
    return 0;
}
