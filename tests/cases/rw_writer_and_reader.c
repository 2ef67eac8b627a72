// One writes a and reads b, the other writes b and reads a.
#include "case.h"
static pthread_rwlock_t a = PTHREAD_RWLOCK_INITIALIZER, b = PTHREAD_RWLOCK_INITIALIZER;

static void left(void)
{
    WRLOCK(a);
    step();
    await(2);
    RDLOCK(b);
}

static void right(void)
{
    WRLOCK(b);
    step();
    await(2);
    RDLOCK(a);
}

int main(void)
{
    pthread_t l = spawn("left", left), r = spawn("right", right);
    JOIN(l);
    JOIN(r);
    return 0;
}
