// A join orders only what was joined: the third thread was there all the time.
#include "case.h"
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;

static void first(void)
{
    LOCK(a);
    LOCK(b);
    UNLOCK(b);
    UNLOCK(a);
}

static void third(void)
{
    await(1);
    LOCK(b);
    LOCK(a);
    UNLOCK(a);
    UNLOCK(b);
}

int main(void)
{
    pthread_t t3 = spawn("third", third);
    pthread_t t1 = spawn("first", first);
    JOIN(t1);
    step();
    JOIN(t3);
    return 0;
}
