// A condition wait takes its mutex back while another lock is held: that is an order, too.
#include "case.h"
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER, other = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static int ready;

static void signaller(void)
{
    LOCK(m);
    LOCK(other);
    UNLOCK(other);
    UNLOCK(m);
    step();
    await(2);
    LOCK(m);
    ready = 1;
    pthread_cond_signal(&cond);
    UNLOCK(m);
}

static void waiter(void)
{
    await(1);
    LOCK(m);
    LOCK(other);
    step();
    while (!ready)
        pthread_cond_wait(&cond, &m);
    UNLOCK(other);
    UNLOCK(m);
}

int main(void)
{
    pthread_t s = spawn("signaller", signaller), w = spawn("waiter", waiter);
    JOIN(s);
    JOIN(w);
    return 0;
}
