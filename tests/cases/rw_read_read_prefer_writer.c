// Where writers go first, a writer between two readers makes it real.
#include "case.h"
static pthread_rwlock_t a, b;

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
    pthread_rwlockattr_t attr;
    pthread_rwlockattr_init(&attr);
    pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(&a, &attr);
    pthread_rwlock_init(&b, &attr);
    pthread_t f = spawn("forward", forward), g = spawn("backward", backward);
    JOIN(f);
    JOIN(g);
    return 0;
}
