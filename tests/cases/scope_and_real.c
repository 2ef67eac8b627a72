// What two tests show as possible one test shows in earnest, at the same lines: the worse is told.
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
    dlwatch_scope("One");
    JOIN(spawn("forward", forward));
    dlwatch_scope("Two");
    JOIN(spawn("backward", backward));
    dlwatch_scope("Both");
    pthread_t f = spawn("forward", forward), g = spawn("backward", backward);
    JOIN(f);
    JOIN(g);
    dlwatch_scope(NULL);
    return 0;
}
