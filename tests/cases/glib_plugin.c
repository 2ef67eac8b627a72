// A plugin brings GLib along, into a program that has none: its locks are watched from the first
// thread on that is made then.
#include "case.h"
#include <dlfcn.h>
static void (*run_forward)(void), (*run_backward)(void);

static void forward(void)
{
    run_forward();
    step();
}

static void backward(void)
{
    await(1);
    run_backward();
}

int main(void)
{
    void *plugin = dlopen("glib_plugin.so", RTLD_NOW | RTLD_LOCAL);
    run_forward = (void (*)(void))dlsym(plugin, "plugin_forward");
    run_backward = (void (*)(void))dlsym(plugin, "plugin_backward");
    pthread_t f = spawn("forward", forward), g = spawn("backward", backward);
    JOIN(f);
    JOIN(g);
    return 0;
}
