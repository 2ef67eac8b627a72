// The holder ends while the other already waits: told when it ends.
#include "case.h"
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;

static void forgets(void)
{
    LOCK(a);
    step();
    await(2);
    for (int i = 0; i < 1000; i++)
        sched_yield();
}

static void waits(void)
{
    await(1);
    step();
    pthread_mutex_lock(&a);
}

int main(void)
{
    pthread_t t = spawn("forgetful", forgets), w = spawn("waiting", waits);
    JOIN(t);
    JOIN(w);
    return 0;
}
