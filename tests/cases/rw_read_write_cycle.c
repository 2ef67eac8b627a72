// Each holds one for reading and wants the other for writing: readers own, too.
#include "case.h"
static pthread_rwlock_t a = PTHREAD_RWLOCK_INITIALIZER, b = PTHREAD_RWLOCK_INITIALIZER;

static void left(void)
{
    RDLOCK(a);
    step();
    await(2);
    WRLOCK(b);
}

static void right(void)
{
    RDLOCK(b);
    step();
    await(2);
    WRLOCK(a);
}

int main(void)
{
    pthread_t l = spawn("left", left), r = spawn("right", right);
    JOIN(l);
    JOIN(r);
    return 0;
}
