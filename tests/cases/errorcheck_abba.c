// Two error-checking mutexes: EDEADLK is only about one's own, the ring hangs.
#include "case.h"
static pthread_mutex_t a = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP;
static pthread_mutex_t b = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP;

static void left(void)
{
    LOCK(a);
    step();
    await(2);
    LOCK(b);
}

static void right(void)
{
    LOCK(b);
    step();
    await(2);
    LOCK(a);
}

int main(void)
{
    pthread_t l = spawn("left", left), r = spawn("right", right);
    JOIN(l);
    JOIN(r);
    return 0;
}
