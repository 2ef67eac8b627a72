// A C program without a C++ library; a static of its plugin asks for itself while it is made.
#include "case.h"
#include <dlfcn.h>

static int (*twice)(void);

static void asks(void)
{
    twice();
}

int main(void)
{
    void *plugin = dlopen("guard_twice.so", RTLD_NOW | RTLD_LOCAL);
    twice = (int (*)(void))dlsym(plugin, "guard_twice");
    pthread_t t = spawn("asks", asks);
    JOIN(t);
    return 0;
}
