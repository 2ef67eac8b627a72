// options: stall_after=1
// Initialised again while a thread sleeps on it, a lock never wakes that one.
#include "asleep.h"
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t l = PTHREAD_RWLOCK_INITIALIZER;
static pid_t tids[2];

static void writer(void)
{
    tids[0] = gettid();
    step();
    LOCK(m);
}

static void reader(void)
{
    tids[1] = gettid();
    step();
    RDLOCK(l);
}

__attribute__((noinline)) static void make_mutex(void)
{
    pthread_mutex_init(&m, NULL);
    step();
}

__attribute__((noinline)) static void make_rwlock(void)
{
    pthread_rwlock_init(&l, NULL);
    step();
}

int main(void)
{
    name_main();
    LOCK(m);
    WRLOCK(l);
    spawn("writer", writer);
    await(1);
    await_asleep(tids[0]);
    spawn("reader", reader);
    await(2);
    await_asleep(tids[1]);
    make_mutex();
    make_rwlock();
    return 0;
}
