// A library's static mutex is a new one when the library is opened again.
#include "case.h"
#include <dlfcn.h>
static pthread_mutex_t b = PTHREAD_MUTEX_INITIALIZER;

static void take(int inside_first)
{
    void *handle = dlopen("locked.so", RTLD_NOW);
    pthread_mutex_t *inside = dlsym(handle, "lock_inside");
    LOCK(*(inside_first ? inside : &b));
    LOCK(*(inside_first ? &b : inside));
    UNLOCK(*inside);
    UNLOCK(b);
    dlclose(handle);
    if (dlopen("locked.so", RTLD_NOW | RTLD_NOLOAD))
        abort();
    step();
}

static void forward(void)
{
    take(1);
}

static void backward(void)
{
    await(1);
    take(0);
}

int main(void)
{
    pthread_t f = spawn("forward", forward), g = spawn("backward", backward);
    JOIN(f);
    JOIN(g);
    return 0;
}
