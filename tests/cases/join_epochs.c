// Ordered in the first round; a later round by a thread that is not makes it real.
#include "case.h"
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;

static void forward(void)
{
    LOCK(a);
    LOCK(b);
    UNLOCK(b);
    UNLOCK(a);
    step();
}

static void backward(void)
{
    LOCK(b);
    LOCK(a);
    UNLOCK(a);
    UNLOCK(b);
}

static void backward_later(void)
{
    await(2);
    backward();
}

int main(void)
{
    pthread_t f = spawn("first", forward);
    JOIN(f);
    pthread_t g = spawn("second", backward);
    JOIN(g);
    pthread_t h = spawn("fourth", backward_later);
    f = spawn("third", forward);
    JOIN(f);
    JOIN(h);
    return 0;
}
