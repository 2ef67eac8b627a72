// Two tests whose locks are not the same.
#include "case.h"
#include "interpose/include/dlwatch.h"
static pthread_mutex_t locks[2][2] = {{PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER},
                                      {PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER}};
static int turn;

static void take(void)
{
    LOCK(locks[turn][turn]);
    LOCK(locks[turn][1 - turn]);
    UNLOCK(locks[turn][1 - turn]);
    UNLOCK(locks[turn][turn]);
}

int main(void)
{
    dlwatch_scope("One");
    JOIN(spawn("first", take));
    turn = 1;
    dlwatch_scope("Two");
    JOIN(spawn("second", take));
    dlwatch_scope(NULL);
    return 0;
}
