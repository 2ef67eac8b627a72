// A lock held around both orders keeps two tests apart wherever they run.
#include "case.h"
#include "interpose/include/dlwatch.h"
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void forward(void)
{
    LOCK(gate);
    LOCK(a);
    LOCK(b);
    UNLOCK(b);
    UNLOCK(a);
    UNLOCK(gate);
}

static void backward(void)
{
    LOCK(gate);
    LOCK(b);
    LOCK(a);
    UNLOCK(a);
    UNLOCK(b);
    UNLOCK(gate);
}

int main(void)
{
    dlwatch_scope("One");
    JOIN(spawn("forward", forward));
    dlwatch_scope("Two");
    JOIN(spawn("backward", backward));
    dlwatch_scope(NULL);
    return 0;
}
