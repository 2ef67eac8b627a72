// Robust mutexes may be left held, the process may end with what it likes, and main may leave
// first.
#include "case.h"
static pthread_mutex_t robust, plain = PTHREAD_MUTEX_INITIALIZER;

static void leaves(void)
{
    LOCK(robust);
}

int main(void)
{
    pthread_mutexattr_t attr;
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&robust, &attr);
    pthread_t t = spawn("leaves", leaves);
    JOIN(t);
    printf("%d\n", LOCK(robust) == EOWNERDEAD);
    pthread_mutex_consistent(&robust);
    UNLOCK(robust);
    LOCK(plain);
    return 0;
}
