// Cancelled in a condition wait and in a join, with cleanup handlers that unlock.
#include "asleep.h"
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
static pthread_t joined;
static pid_t waiter;

static void unlock(void *mutex)
{
    pthread_mutex_unlock(mutex);
}

static void waits(void)
{
    LOCK(a);
    pthread_cleanup_push(unlock, &a);
    waiter = (pid_t)syscall(SYS_gettid);
    step();
    pthread_cond_wait(&never, &a);
    pthread_cleanup_pop(1);
}

/* It holds what the thread needs that it joins, and is cancelled in time. */
static void joins(void)
{
    LOCK(b);
    pthread_cleanup_push(unlock, &b);
    waiter = (pid_t)syscall(SYS_gettid);
    step();
    JOIN(joined);
    pthread_cleanup_pop(1);
}

static void needs(void)
{
    await(3);
    LOCK(b);
    UNLOCK(b);
}

int main(void)
{
    pthread_t t = spawn("waiter", waits);
    await(1);
    await_asleep(waiter);
    pthread_cancel(t);
    JOIN(t);
    joined = spawn("needs", needs);
    t = spawn("joins", joins);
    await(2);
    await_asleep(waiter);
    pthread_cancel(t);
    step();
    JOIN(t);
    JOIN(joined);
    return 0;
}
