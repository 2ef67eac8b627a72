// A struct copied with its lock has a lock of its own, whatever the copied bytes say.
#include "case.h"
struct thing {
    pthread_mutex_t lock;
    int value;
};
static pthread_mutex_t b = PTHREAD_MUTEX_INITIALIZER;
static struct thing original = {PTHREAD_MUTEX_INITIALIZER, 1}, copy;

static void forward(void)
{
    LOCK(original.lock);
    LOCK(b);
    UNLOCK(b);
    UNLOCK(original.lock);
    copy = original;
    step();
}

static void backward(void)
{
    await(1);
    LOCK(b);
    LOCK(copy.lock);
    UNLOCK(copy.lock);
    UNLOCK(b);
}

int main(void)
{
    pthread_t f = spawn("forward", forward), g = spawn("backward", backward);
    JOIN(f);
    JOIN(g);
    return 0;
}
