// The same library, left open between: one lock, two orders, named by the library's symbol.
#include "case.h"
#include <dlfcn.h>
static pthread_mutex_t b = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t *inside;

static void forward(void)
{
    LOCK(*inside);
    LOCK(b);
    UNLOCK(b);
    UNLOCK(*inside);
    step();
}

static void backward(void)
{
    await(1);
    LOCK(b);
    LOCK(*inside);
    UNLOCK(*inside);
    UNLOCK(b);
}

int main(void)
{
    inside = dlsym(dlopen("locked.so", RTLD_NOW), "lock_inside");
    pthread_t f = spawn("forward", forward), g = spawn("backward", backward);
    JOIN(f);
    JOIN(g);
    return 0;
}
