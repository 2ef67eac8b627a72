// A recursive mutex deadlocks with another like any other, however deep it is held.
#include "case.h"
static pthread_mutex_t a = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static pthread_mutex_t b = PTHREAD_MUTEX_INITIALIZER;

static void deep(void)
{
    pthread_mutex_lock(&a);
    LOCK(a);
    LOCK(a);
    UNLOCK(a);
    step();
    await(2);
    LOCK(b);
}

static void other(void)
{
    LOCK(b);
    step();
    await(2);
    LOCK(a);
}

int main(void)
{
    pthread_t d = spawn("deep", deep), o = spawn("other", other);
    JOIN(d);
    JOIN(o);
    return 0;
}
