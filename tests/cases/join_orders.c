// The first child was joined before the second was made.
#include "case.h"
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;

static void first(void)
{
    LOCK(a);
    LOCK(b);
    UNLOCK(b);
    UNLOCK(a);
}

static void second(void)
{
    LOCK(b);
    LOCK(a);
    UNLOCK(a);
    UNLOCK(b);
}

int main(void)
{
    pthread_t t = spawn("first", first);
    JOIN(t);
    t = spawn("second", second);
    JOIN(t);
    return 0;
}
