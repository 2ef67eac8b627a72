// More tests than an order keeps evidence of, then one that has both orders in earnest.
#include "case.h"
#include "interpose/include/dlwatch.h"
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
    await(41);
    LOCK(b);
    LOCK(a);
    UNLOCK(a);
    UNLOCK(b);
}

int main(void)
{
    char name[16];

    for (int i = 0; i < 40; i++) {
        snprintf(name, sizeof name, "Test%d", i);
        dlwatch_scope(name);
        JOIN(spawn("forward", forward));
    }
    dlwatch_scope("Both");
    pthread_t f = spawn("forward", forward), g = spawn("backward", backward);
    JOIN(f);
    JOIN(g);
    dlwatch_scope(NULL);
    return 0;
}
