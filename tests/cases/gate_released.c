// A gate that is given back before the second lock is asked for is no gate.
#include "case.h"
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;

static void forward(void)
{
    LOCK(gate);
    LOCK(a);
    UNLOCK(gate); // not last in, first out: a stays held
    LOCK(b);
    UNLOCK(b);
    UNLOCK(a);
    step();
}

static void backward(void)
{
    await(1);
    LOCK(gate);
    LOCK(b);
    UNLOCK(gate);
    LOCK(a);
    UNLOCK(b);
    UNLOCK(a);
}

int main(void)
{
    pthread_t f = spawn("forward", forward), g = spawn("backward", backward);
    JOIN(f);
    JOIN(g);
    return 0;
}
