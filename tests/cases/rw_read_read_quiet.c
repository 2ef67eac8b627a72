// Readers in both orders never block each other where readers go first: harmless.
#include "case.h"
static pthread_rwlock_t a = PTHREAD_RWLOCK_INITIALIZER, b = PTHREAD_RWLOCK_INITIALIZER;

static void forward(void)
{
    RDLOCK(a);
    RDLOCK(b);
    RWUNLOCK(b);
    RWUNLOCK(a);
    step();
}

static void backward(void)
{
    await(1);
    RDLOCK(b);
    RDLOCK(a);
    RWUNLOCK(a);
    RWUNLOCK(b);
}

int main(void)
{
    pthread_t f = spawn("forward", forward), g = spawn("backward", backward);
    JOIN(f);
    JOIN(g);
    return 0;
}
