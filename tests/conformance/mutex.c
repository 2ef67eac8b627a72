/* Every mutex call in every outcome, for every kind. */
#include "tell.h"

static pthread_mutex_t m;

static void initialise(int type, int protocol, int robust, int pshared)
{
    pthread_mutexattr_t attr;
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_settype(&attr, type);
    pthread_mutexattr_setprotocol(&attr, protocol);
    pthread_mutexattr_setrobust(&attr, robust);
    pthread_mutexattr_setpshared(&attr, pshared);
    say("type %d protocol %d robust %d pshared %d", type, protocol, robust, pshared);
    TELL(pthread_mutex_init(&m, &attr));
    TELL(pthread_mutexattr_destroy(&attr));
}

static void while_held_by_another(void)
{
    TELL(pthread_mutex_trylock(&m));
    TELL(pthread_mutex_timedlock(&m, &past));
    TELL(pthread_mutex_timedlock(&m, from_now(CLOCK_REALTIME, 5)));
    TELL(pthread_mutex_timedlock(&m, &crooked));
    TELL(pthread_mutex_clocklock(&m, CLOCK_MONOTONIC, from_now(CLOCK_MONOTONIC, 5)));
    TELL(pthread_mutex_clocklock(&m, CLOCK_PROCESS_CPUTIME_ID, &past));
    TELL(pthread_mutex_destroy(&m));
}

static void unlock_anothers(void)
{
    TELL(pthread_mutex_unlock(&m));
}

static void lock_and_end(void)
{
    TELL(pthread_mutex_lock(&m));
}

static void relock(int type)
{
    if (type == PTHREAD_MUTEX_RECURSIVE || type == PTHREAD_MUTEX_ERRORCHECK) {
        TELL(pthread_mutex_lock(&m));
        TELL(pthread_mutex_timedlock(&m, &past));
        TELL(pthread_mutex_clocklock(&m, CLOCK_REALTIME, &past));
        if (type == PTHREAD_MUTEX_RECURSIVE) {
            TELL(pthread_mutex_unlock(&m));
            TELL(pthread_mutex_unlock(&m));
            TELL(pthread_mutex_unlock(&m));
        }
    } else {
        TELL(pthread_mutex_timedlock(&m, &past));
    }
    TELL(pthread_mutex_trylock(&m));
    if (type == PTHREAD_MUTEX_RECURSIVE)
        TELL(pthread_mutex_unlock(&m));
}

static void basics(int type)
{
    TELL(pthread_mutex_lock(&m));
    aside(while_held_by_another);
    if (type == PTHREAD_MUTEX_RECURSIVE || type == PTHREAD_MUTEX_ERRORCHECK)
        aside(unlock_anothers);
    relock(type);
    TELL(pthread_mutex_unlock(&m));
    if (type == PTHREAD_MUTEX_RECURSIVE || type == PTHREAD_MUTEX_ERRORCHECK)
        TELL(pthread_mutex_unlock(&m));
    TELL(pthread_mutex_trylock(&m));
    TELL(pthread_mutex_unlock(&m));
    TELL(pthread_mutex_timedlock(&m, &past));
    TELL(pthread_mutex_unlock(&m));
    TELL(pthread_mutex_clocklock(&m, CLOCK_MONOTONIC, &past));
    TELL(pthread_mutex_unlock(&m));
    TELL(pthread_mutex_destroy(&m));
}

static void robust_story(int protocol, int pshared)
{
    initialise(PTHREAD_MUTEX_NORMAL, protocol, PTHREAD_MUTEX_ROBUST, pshared);
    aside(lock_and_end);
    TELL(pthread_mutex_trylock(&m));
    TELL(pthread_mutex_consistent(&m));
    TELL(pthread_mutex_unlock(&m));
    aside(lock_and_end);
    TELL(pthread_mutex_timedlock(&m, from_now(CLOCK_REALTIME, 1000)));
    TELL(pthread_mutex_unlock(&m));
    TELL(pthread_mutex_lock(&m));
    TELL(pthread_mutex_trylock(&m));
    TELL(pthread_mutex_timedlock(&m, &past));
    TELL(pthread_mutex_clocklock(&m, CLOCK_MONOTONIC, &past));
    TELL(pthread_mutex_consistent(&m));
    TELL(pthread_mutex_destroy(&m));
}

static void recursion_limit(void)
{
    initialise(PTHREAD_MUTEX_RECURSIVE, 0, 0, 0);
    TELL(pthread_mutex_lock(&m));
    m.__data.__count = (unsigned)-1; /* as after four thousand million locks */
    TELL(pthread_mutex_lock(&m));
    TELL(pthread_mutex_trylock(&m));
    m.__data.__count = 1;
    TELL(pthread_mutex_unlock(&m));
    TELL(pthread_mutex_destroy(&m));
}

static void bad_kind(void)
{
    memset(&m, 0, sizeof m);
    m.__data.__kind = 0x5a;
    TELL(pthread_mutex_lock(&m));
    TELL(pthread_mutex_trylock(&m));
    TELL(pthread_mutex_unlock(&m));
}

static void static_initialisers(void)
{
    static pthread_mutex_t normal = PTHREAD_MUTEX_INITIALIZER;
    static pthread_mutex_t recursive = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
    static pthread_mutex_t errorcheck = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP;
    static pthread_mutex_t adaptive = PTHREAD_ADAPTIVE_MUTEX_INITIALIZER_NP;
    pthread_mutex_t *all[] = {&normal, &recursive, &errorcheck, &adaptive};
    for (int i = 0; i < 4; i++) {
        TELL(pthread_mutex_lock(all[i]));
        TELL(pthread_mutex_trylock(all[i]));
        TELL(pthread_mutex_unlock(all[i]));
        TELL(pthread_mutex_destroy(all[i]));
    }
}

int main(void)
{
    for (int type = 0; type < 4; type++) {
        for (int variant = 0; variant < 8; variant++) {
            int robust = variant >> 1 & 1;
            initialise(type, variant & 1 ? PTHREAD_PRIO_INHERIT : PTHREAD_PRIO_NONE, robust,
                       variant >> 2 & 1);
            basics(type);
        }
    }
    robust_story(PTHREAD_PRIO_NONE, 0);
    robust_story(PTHREAD_PRIO_NONE, 1);
    robust_story(PTHREAD_PRIO_INHERIT, 0);
    recursion_limit();
    bad_kind();
    static_initialisers();
    return 0;
}
