// Inside one test its own joins keep the threads apart; a test that runs again is the same test.
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
    for (int turn = 0; turn < 2; turn++) {
        dlwatch_scope("Repeated");
        JOIN(spawn("forward", forward));
        JOIN(spawn("backward", backward));
        dlwatch_scope(NULL);
    }
    return 0;
}
