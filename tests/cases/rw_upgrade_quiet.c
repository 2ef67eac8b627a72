// The right way to upgrade: give the read lock back first.
#include "case.h"
static pthread_rwlock_t l = PTHREAD_RWLOCK_INITIALIZER;

static void upgrade(void)
{
    for (int i = 0; i < 1000; i++) {
        RDLOCK(l);
        RWUNLOCK(l);
        WRLOCK(l);
        RWUNLOCK(l);
    }
}

int main(void)
{
    pthread_t x = spawn("one", upgrade), y = spawn("two", upgrade);
    JOIN(x);
    JOIN(y);
    return 0;
}
