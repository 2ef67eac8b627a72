// A mutex on the stack of a function is a new one at each call, though at the same place.
#include "case.h"
static pthread_mutex_t b = PTHREAD_MUTEX_INITIALIZER;

static void call(int back)
{
    pthread_mutex_t local = PTHREAD_MUTEX_INITIALIZER;
    LOCK(*(back ? &b : &local));
    LOCK(*(back ? &local : &b));
    UNLOCK(local);
    UNLOCK(b);
}

static void both(void)
{
    for (int i = 0; i < 100; i++)
        call(i & 1);
}

int main(void)
{
    pthread_t l = spawn("left", both);
    JOIN(l);
    for (int i = 0; i < 100; i++)
        call(i & 1);
    return 0;
}
