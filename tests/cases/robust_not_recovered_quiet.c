// EOWNERDEAD not made consistent: ENOTRECOVERABLE for all later, who then hold nothing.
#include "case.h"
static pthread_mutex_t robust, other = PTHREAD_MUTEX_INITIALIZER;

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
    printf("%d", LOCK(robust) == EOWNERDEAD);
    UNLOCK(robust);
    printf("%d", LOCK(robust) == ENOTRECOVERABLE);
    printf("%d\n", TRYLOCK(robust) == ENOTRECOVERABLE);
    LOCK(other);
    UNLOCK(other);
    pthread_mutex_destroy(&robust);
    return 0;
}
