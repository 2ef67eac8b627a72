/* Cancellation in each cancellation point among the wrapped calls, and what cleanup handlers then
 * see. */
#include "tell.h"
#include <semaphore.h>

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER, outer = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t never;
static sem_t s;
static pthread_t sleeper;
static pthread_once_t routine = PTHREAD_ONCE_INIT;

static void cleanup(void *what)
{
    say("cleanup of %s: m %s", (const char *)what, pthread_mutex_trylock(&m) ? "held" : "free");
    pthread_mutex_unlock(&m);
}

static void condition_wait(void)
{
    pthread_cond_wait(&c, &m);
}

static void condition_timedwait(void)
{
    pthread_cond_timedwait(&c, &m, from_now(CLOCK_REALTIME, 60000));
}

static void condition_clockwait(void)
{
    pthread_cond_clockwait(&c, &m, CLOCK_MONOTONIC, from_now(CLOCK_MONOTONIC, 60000));
}

static void semaphore_wait(void)
{
    sem_wait(&s);
}

static void semaphore_timedwait(void)
{
    sem_timedwait(&s, from_now(CLOCK_REALTIME, 60000));
}

static void semaphore_clockwait(void)
{
    sem_clockwait(&s, CLOCK_MONOTONIC, from_now(CLOCK_MONOTONIC, 60000));
}

static void join(void)
{
    pthread_join(sleeper, NULL);
}

static void timed_join(void)
{
    pthread_timedjoin_np(sleeper, NULL, from_now(CLOCK_REALTIME, 60000));
}

static void clock_join(void)
{
    pthread_clockjoin_np(sleeper, NULL, CLOCK_MONOTONIC, from_now(CLOCK_MONOTONIC, 60000));
}

static void test_cancel(void)
{
    for (;;)
        pthread_testcancel();
}

/* No cancellation points: the lock is taken, the barrier passed, and only then it ends. */
static void mutex_lock(void)
{
    LOCK(outer);
    UNLOCK(outer);
    say("locked although cancelled");
    pthread_testcancel();
}

static void cancelled_once(void)
{
    say("once begins");
    step();
    pause();
}

static void once(void)
{
    pthread_once(&routine, cancelled_once);
}

static void once_again(void)
{
    say("once begins again");
}

static const struct point {
    const char *name;
    void (*wait)(void);
} points[] = {
    {"cond_wait", condition_wait},
    {"cond_timedwait", condition_timedwait},
    {"cond_clockwait", condition_clockwait},
    {"sem_wait", semaphore_wait},
    {"sem_timedwait", semaphore_timedwait},
    {"sem_clockwait", semaphore_clockwait},
    {"join", join},
    {"timedjoin", timed_join},
    {"clockjoin", clock_join},
    {"testcancel", test_cancel},
    {"mutex_lock", mutex_lock},
    {"once", once},
};

static int early; /* cancelled before it waits, or while it waits */

static void *wait_at(void *arg)
{
    const struct point *point = arg;
    LOCK(m);
    pthread_cleanup_push(cleanup, (void *)point->name);
    step();
    if (early)
        await(2);
    point->wait();
    pthread_cleanup_pop(0);
    say("%s came back", point->name);
    UNLOCK(m);
    return NULL;
}

static void *sleep_long(void *arg)
{
    pause();
    return arg;
}

/* Gives the thread every chance to block first. */
static void give_way(void)
{
    for (int i = 0; i < 200; i++)
        sched_yield();
}

static void cancel_at(const struct point *point)
{
    pthread_t t;
    void *result = NULL;
    __atomic_store_n(&steps, 0, __ATOMIC_SEQ_CST);
    LOCK(outer);
    pthread_create(&t, NULL, wait_at, (void *)point);
    await(point->wait == once ? 2 : 1);
    if (!early)
        give_way();
    pthread_cancel(t);
    step();
    UNLOCK(outer);
    TELL(pthread_join(t, &result));
    say("%s: %s", point->name, result == PTHREAD_CANCELED ? "cancelled" : "not cancelled");
    TELL(pthread_mutex_trylock(&m));
    pthread_mutex_unlock(&m);
}

int main(void)
{
    sem_init(&s, 0, 0);
    pthread_barrier_init(&never, NULL, 2);
    pthread_create(&sleeper, NULL, sleep_long, NULL);
    for (early = 0; early < 2; early++)
        for (size_t i = 0; i < sizeof points / sizeof *points; i++)
            if (!early || points[i].wait != once)
                cancel_at(&points[i]);
    TELL(pthread_once(&routine, once_again));
    int value;
    sem_getvalue(&s, &value);
    say("semaphore %d", value);
    TELL(pthread_cancel(sleeper));
    TELL(pthread_join(sleeper, NULL));
    return 0;
}
