/* Threads: create, join in all its forms, detach, exit, names, thread-specific destructors that
 * lock. */
#include "tell.h"

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER, n = PTHREAD_MUTEX_INITIALIZER;
static pthread_key_t key;

static void *value(void *arg)
{
    return arg;
}

static void *leave(void *arg)
{
    pthread_exit(arg);
}

static void *until_step(void *arg)
{
    await((int)(long)arg);
    return NULL;
}

static void *join_self(void *arg)
{
    TELL(pthread_join(pthread_self(), NULL));
    TELL(pthread_tryjoin_np(pthread_self(), NULL));
    return arg;
}

/* Comes round as often as glibc lets it: sets its value again each time. */
static void destructor(void *arg)
{
    LOCK(m);
    LOCK(n);
    say("destructor round %ld", (long)arg);
    pthread_setspecific(key, (void *)((long)arg + 1));
    UNLOCK(n);
    UNLOCK(m);
}

static void *with_specific(void *arg)
{
    pthread_setspecific(key, (void *)1);
    LOCK(m);
    LOCK(n);
    UNLOCK(n);
    UNLOCK(m);
    return arg;
}

static void joins(void)
{
    pthread_t t;
    void *result = NULL;
    TELL(pthread_create(&t, NULL, value, (void *)11));
    TELL(pthread_join(t, &result));
    say("%ld", (long)result);
    TELL(pthread_create(&t, NULL, leave, (void *)12));
    TELL(pthread_join(t, &result));
    say("%ld", (long)result);
    TELL(pthread_create(&t, NULL, until_step, (void *)1));
    TELL(pthread_tryjoin_np(t, &result));
    TELL(pthread_timedjoin_np(t, &result, &past));
    TELL(pthread_timedjoin_np(t, &result, from_now(CLOCK_REALTIME, 5)));
    TELL(pthread_clockjoin_np(t, &result, CLOCK_MONOTONIC, from_now(CLOCK_MONOTONIC, 5)));
    TELL(pthread_clockjoin_np(t, &result, CLOCK_PROCESS_CPUTIME_ID, &past));
    step();
    TELL(pthread_timedjoin_np(t, &result, from_now(CLOCK_REALTIME, 60000)));
    TELL(pthread_create(&t, NULL, value, (void *)13));
    TELL(pthread_clockjoin_np(t, &result, CLOCK_MONOTONIC, from_now(CLOCK_MONOTONIC, 60000)));
    TELL(pthread_create(&t, NULL, value, (void *)14));
    while (pthread_tryjoin_np(t, &result) == EBUSY)
        sched_yield();
    say("%ld", (long)result);
    pthread_create(&t, NULL, join_self, NULL);
    TELL(pthread_join(t, NULL));
}

static void detaches(void)
{
    pthread_t t;
    pthread_attr_t attr;
    TELL(pthread_create(&t, NULL, until_step, (void *)2));
    TELL(pthread_detach(t));
    TELL(pthread_detach(t));
    TELL(pthread_join(t, NULL));
    step();
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    TELL(pthread_create(&t, &attr, until_step, (void *)3));
    TELL(pthread_join(t, NULL));
    step();
    pthread_attr_setstacksize(&attr, (size_t)1 << 46);
    TELL(pthread_create(&t, &attr, value, NULL));
    pthread_attr_destroy(&attr);
}

static void names(void)
{
    char name[32] = "";
    TELL(pthread_setname_np(pthread_self(), "fifteen letters"));
    TELL(pthread_getname_np(pthread_self(), name, sizeof name));
    say("%s", name);
    TELL(pthread_setname_np(pthread_self(), "sixteen letters!"));
    TELL(pthread_getname_np(pthread_self(), name, 3));
}

int main(void)
{
    pthread_t t;
    joins();
    detaches();
    names();
    TELL(pthread_key_create(&key, destructor));
    pthread_create(&t, NULL, with_specific, NULL);
    TELL(pthread_join(t, NULL));
    pthread_exit(NULL);
}
