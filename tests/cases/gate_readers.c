// A gate that both hold for reading lets both in.
#include "case.h"
static pthread_rwlock_t gate = PTHREAD_RWLOCK_INITIALIZER;
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;

static void forward(void)
{
    RDLOCK(gate);
    LOCK(a);
    LOCK(b);
    UNLOCK(b);
    UNLOCK(a);
    RWUNLOCK(gate);
    step();
}

static void backward(void)
{
    await(1);
    RDLOCK(gate);
    LOCK(b);
    LOCK(a);
    UNLOCK(a);
    UNLOCK(b);
    RWUNLOCK(gate);
}

int main(void)
{
    pthread_t f = spawn("forward", forward), g = spawn("backward", backward);
    JOIN(f);
    JOIN(g);
    return 0;
}
