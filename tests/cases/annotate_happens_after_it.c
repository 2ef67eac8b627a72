// What is done after the message was sent is not ordered by it, whatever was done before.
#include "case.h"
#include "interpose/include/dlwatch.h"
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t c = PTHREAD_MUTEX_INITIALIZER;
static int message;

static void forward(void)
{
    LOCK(a);
    LOCK(c);
    UNLOCK(c);
    UNLOCK(a);
    dlwatch_happens_before(&message);
    LOCK(a);
    LOCK(b);
    UNLOCK(b);
    UNLOCK(a);
    step();
}

static void backward(void)
{
    await(1);
    dlwatch_happens_after(&message);
    LOCK(b);
    LOCK(a);
    UNLOCK(a);
    UNLOCK(b);
}

int main(void)
{
    pthread_t f = spawn("forward", forward), g = spawn("backward", backward);
    JOIN(f);
    JOIN(g);
    return 0;
}
