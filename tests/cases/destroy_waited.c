// options: stall_after=1
// A condition is destroyed while a thread sleeps on it: glibc waits for that one for ever.
#include "asleep.h"
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
static pid_t tid;

static void waiter(void)
{
    LOCK(m);
    tid = gettid();
    step();
    for (;;)
        pthread_cond_wait(&c, &m);
}

int main(void)
{
    name_main();
    spawn("waiter", waiter);
    await(1);
    LOCK(m);
    UNLOCK(m);
    await_asleep(tid);
    pthread_cond_destroy(&c);
    return 0;
}
