// Cancelled, and then stuck in its cleanup handler: that wait does not end by it any more.
#include "asleep.h"
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
static pthread_t needy;
static pid_t waiter;

static void needs(void)
{
    await(2);
    LOCK(a);
}

static void join_it(void *arg)
{
    (void)arg;
    JOIN(needy);
}

static void waits(void)
{
    LOCK(m);
    pthread_cleanup_push(join_it, NULL);
    waiter = (pid_t)syscall(SYS_gettid);
    step();
    pthread_cond_wait(&never, &m);
    pthread_cleanup_pop(1);
}

int main(void)
{
    name_main();
    (pthread_mutex_lock)(&a);
    needy = spawn("needs", needs);
    pthread_t t = spawn("waits", waits);
    await(1);
    await_asleep(waiter);
    pthread_cancel(t);
    step();
    pthread_join(t, NULL);
    return 0;
}
