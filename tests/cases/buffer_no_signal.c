// options: stall_after=1
// The producer puts something in and forgets to say so.
#include "case.h"
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t not_empty = PTHREAD_COND_INITIALIZER;
static int n, is_waiting;

static void consumer(void)
{
    LOCK(m);
    is_waiting = 1;
    while (n == 0)
        pthread_cond_wait(&not_empty, &m);
    n--;
    UNLOCK(m);
}

static void producer(void)
{
    for (int done = 0; !done; sched_yield()) {
        LOCK(m);
        if (is_waiting)
            done = n = 1;
        UNLOCK(m);
    }
}

int main(void)
{
    name_main();
    pthread_t c = spawn("consumer", consumer), p = spawn("producer", producer);
    JOIN(p);
    JOIN(c);
    return 0;
}
