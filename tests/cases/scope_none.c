// A test against what belongs to none (set-up, a thread made before): as without scopes.
#include "case.h"
#include "interpose/include/dlwatch.h"
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;

static void forward(void)
{
    LOCK(a);
    LOCK(b);
    UNLOCK(b);
    UNLOCK(a);
}

static void backward(void)
{
    LOCK(b);
    LOCK(a);
    UNLOCK(a);
    UNLOCK(b);
}

int main(void)
{
    JOIN(spawn("forward", forward));
    dlwatch_scope("Test");
    JOIN(spawn("backward", backward));
    dlwatch_scope(NULL);
    return 0;
}
