// Locks begin anew when all that waited for them have had them: they were asleep, and are not now.
// The kinds of waits that are no wait for the lock itself don't count.
#include "asleep.h"
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER, other = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t l = PTHREAD_RWLOCK_INITIALIZER;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
static pid_t tids[3];
static int is_over;

static void writer(void)
{
    tids[0] = gettid();
    step();
    LOCK(m);
    UNLOCK(m);
}

static void reader(void)
{
    tids[1] = gettid();
    step();
    RDLOCK(l);
    RWUNLOCK(l);
}

/* It sleeps meanwhile, with a mutex that is free. */
static void sleeper(void)
{
    LOCK(other);
    tids[2] = gettid();
    step();
    while (!is_over)
        pthread_cond_wait(&c, &other);
    UNLOCK(other);
}

int main(void)
{
    name_main();
    pthread_t s = spawn("sleeper", sleeper);
    await(1);
    LOCK(other);
    UNLOCK(other);
    await_asleep(tids[2]);
    LOCK(m);
    WRLOCK(l);
    pthread_t w = spawn("writer", writer);
    await(2);
    await_asleep(tids[0]);
    pthread_t r = spawn("reader", reader);
    await(3);
    await_asleep(tids[1]);
    UNLOCK(m);
    RWUNLOCK(l);
    JOIN(w);
    JOIN(r);
    pthread_mutex_init(&m, NULL);
    pthread_rwlock_init(&l, NULL);
    LOCK(m);
    UNLOCK(m);
    LOCK(other);
    is_over = 1;
    pthread_cond_signal(&c);
    UNLOCK(other);
    JOIN(s);
    return 0;
}
