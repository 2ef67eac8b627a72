// The joiner has the robust mutex that the thread held when it ended: it has ended, then.
#include "case.h"
static pthread_mutex_t m;

static void dies(void)
{
    LOCK(m);
    step();
}

int main(void)
{
    pthread_mutexattr_t attr;
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&m, &attr);
    pthread_t t = spawn("dies", dies);
    await(1);
    if (LOCK(m) == EOWNERDEAD) {
        JOIN(t);
        pthread_mutex_consistent(&m);
    }
    UNLOCK(m);
    return 0;
}
