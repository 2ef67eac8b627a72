// A robust mutex whose owner died is its next taker's, also before it is made consistent: taken for
// busy and asked for again, it is waited for by its owner.
#include "case.h"
static pthread_mutex_t m;

static void dies(void)
{
    LOCK(m);
}

static void runs(void)
{
    for (;;)
        pause();
}

int main(void)
{
    pthread_mutexattr_t attr;
    name_main();
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&m, &attr);
    JOIN(spawn("dies", dies));
    spawn("runs", runs);
    if ((pthread_mutex_trylock)(&m) == EOWNERDEAD)
        pthread_mutex_lock(&m);
    return 0;
}
