// A trylock that failed holds nothing; back off and retry is no inversion.
#include "case.h"
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;

static void polite(void)
{
    LOCK(a);
    step();
    await(2);
    while (TRYLOCK(b)) {
        UNLOCK(a);
        sched_yield();
        LOCK(a);
    }
    UNLOCK(b);
    UNLOCK(a);
}

static void stubborn(void)
{
    LOCK(b);
    step();
    await(2);
    LOCK(a);
    UNLOCK(a);
    UNLOCK(b);
}

int main(void)
{
    pthread_t p = spawn("polite", polite), s = spawn("stubborn", stubborn);
    JOIN(p);
    JOIN(s);
    return 0;
}
