// One mistake on which two threads step a thousand times each is one finding.
#include "case.h"
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;

static void forward(void)
{
    for (int i = 0; i < 1000; i++) {
        await(2 * i);
        LOCK(a);
        LOCK(b);
        UNLOCK(b);
        UNLOCK(a);
        step();
    }
}

static void backward(void)
{
    for (int i = 0; i < 1000; i++) {
        await(2 * i + 1);
        LOCK(b);
        LOCK(a);
        UNLOCK(a);
        UNLOCK(b);
        step();
    }
}

int main(void)
{
    pthread_t f = spawn("forward", forward), g = spawn("backward", backward);
    JOIN(f);
    JOIN(g);
    return 0;
}
