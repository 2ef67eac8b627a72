// options: stall_after=1
// A signal that came too early, and nobody left to send another.
#include "case.h"
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;

static void signaller(void)
{
    pthread_cond_signal(&c);
    step();
}

static void waiter(void)
{
    await(1);
    LOCK(m);
    pthread_cond_wait(&c, &m);
    UNLOCK(m);
}

int main(void)
{
    name_main();
    pthread_t s = spawn("signaller", signaller), w = spawn("waiter", waiter);
    JOIN(s);
    (pthread_join)(w, NULL);
    return 0;
}
