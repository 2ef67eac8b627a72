// A condition wait that is cancelled has its mutex again, and nobody gives it back.
#include "asleep.h"
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
static pid_t waiter;

static void waits(void)
{
    LOCK(a);
    waiter = (pid_t)syscall(SYS_gettid);
    step();
    for (;;)
        pthread_cond_wait(&never, &a);
}

int main(void)
{
    pthread_t t = spawn("waiter", waits);
    await(1);
    await_asleep(waiter);
    pthread_cancel(t);
    JOIN(t);
    return 0;
}
