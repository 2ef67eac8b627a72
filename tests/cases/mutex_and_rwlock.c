// A cycle through a mutex and a read-write lock.
#include "case.h"
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t l = PTHREAD_RWLOCK_INITIALIZER;

static void left(void)
{
    LOCK(m);
    step();
    await(2);
    RDLOCK(l);
}

static void right(void)
{
    WRLOCK(l);
    step();
    await(2);
    LOCK(m);
}

int main(void)
{
    pthread_t x = spawn("left", left), y = spawn("right", right);
    JOIN(x);
    JOIN(y);
    return 0;
}
