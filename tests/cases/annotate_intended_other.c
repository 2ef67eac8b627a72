// Another order is meant, not these two.
#include "case.h"
#include "interpose/include/dlwatch.h"
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t c = PTHREAD_MUTEX_INITIALIZER;

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
    await(1);
    LOCK(b);
    LOCK(a);
    UNLOCK(a);
    UNLOCK(b);
}

__attribute__((constructor)) static void declare(void)
{
    dlwatch_intended(&b, &c);
    dlwatch_intended(&c, &a);
    dlwatch_intended(&a, &a);
    dlwatch_intended_classes("node", "leaf");
}

int main(void)
{
    pthread_t f = spawn("forward", forward), g = spawn("backward", backward);
    JOIN(f);
    JOIN(g);
    return 0;
}
