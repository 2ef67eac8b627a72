/* Every read-write lock call in every outcome, for every kind. */
#include "tell.h"

static pthread_rwlock_t l;

static void try_all(void)
{
    TELL(pthread_rwlock_tryrdlock(&l));
    TELL(pthread_rwlock_trywrlock(&l));
    TELL(pthread_rwlock_timedrdlock(&l, &past));
    TELL(pthread_rwlock_timedwrlock(&l, &past));
    TELL(pthread_rwlock_clockrdlock(&l, CLOCK_MONOTONIC, &past));
    TELL(pthread_rwlock_clockwrlock(&l, CLOCK_MONOTONIC, &past));
    TELL(pthread_rwlock_timedwrlock(&l, from_now(CLOCK_REALTIME, 5)));
    TELL(pthread_rwlock_timedwrlock(&l, &crooked));
    TELL(pthread_rwlock_timedrdlock(&l, &crooked));
    TELL(pthread_rwlock_clockwrlock(&l, CLOCK_PROCESS_CPUTIME_ID, &past));
}

/* As try_all beside a reader: what was taken is given back. */
static void try_beside_reader(void)
{
    TELL(pthread_rwlock_tryrdlock(&l));
    TELL(pthread_rwlock_unlock(&l));
    TELL(pthread_rwlock_timedrdlock(&l, from_now(CLOCK_REALTIME, 1000)));
    TELL(pthread_rwlock_unlock(&l));
    TELL(pthread_rwlock_clockrdlock(&l, CLOCK_MONOTONIC, from_now(CLOCK_MONOTONIC, 1000)));
    TELL(pthread_rwlock_unlock(&l));
    TELL(pthread_rwlock_trywrlock(&l));
    TELL(pthread_rwlock_timedwrlock(&l, &past));
    TELL(pthread_rwlock_clockwrlock(&l, CLOCK_REALTIME, &past));
}

static void story(void)
{
    TELL(pthread_rwlock_rdlock(&l));
    aside(try_beside_reader);
    TELL(pthread_rwlock_tryrdlock(&l));
    TELL(pthread_rwlock_unlock(&l));
    TELL(pthread_rwlock_unlock(&l));
    TELL(pthread_rwlock_wrlock(&l));
    aside(try_all);
    TELL(pthread_rwlock_wrlock(&l));
    TELL(pthread_rwlock_rdlock(&l));
    try_all();
    TELL(pthread_rwlock_unlock(&l));
    TELL(pthread_rwlock_trywrlock(&l));
    TELL(pthread_rwlock_unlock(&l));
    TELL(pthread_rwlock_clockwrlock(&l, CLOCK_MONOTONIC, &past));
    TELL(pthread_rwlock_unlock(&l));
    TELL(pthread_rwlock_destroy(&l));
}

int main(void)
{
    for (int kind = 0; kind < 3; kind++) {
        for (int pshared = 0; pshared < 2; pshared++) {
            pthread_rwlockattr_t attr;
            pthread_rwlockattr_init(&attr);
            TELL(pthread_rwlockattr_setkind_np(&attr, kind));
            TELL(pthread_rwlockattr_setpshared(&attr, pshared));
            TELL(pthread_rwlock_init(&l, &attr));
            pthread_rwlockattr_destroy(&attr);
            story();
        }
    }
    TELL(pthread_rwlock_init(&l, NULL));
    story();
    l = (pthread_rwlock_t)PTHREAD_RWLOCK_INITIALIZER;
    story();
    return 0;
}
