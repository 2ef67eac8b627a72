// A plugin with its GLib is closed and comes again, elsewhere: its locks are watched as before, and
// nothing of the first copy is called.
#include "case.h"
#include <dlfcn.h>
#include <link.h>
#include <sys/mman.h>
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

static void *open_plugin(void)
{
    void *plugin = dlopen("glib_plugin.so", RTLD_NOW | RTLD_LOCAL);

    run_forward = (void (*)(void))dlsym(plugin, "plugin_forward");
    run_backward = (void (*)(void))dlsym(plugin, "plugin_backward");
    return plugin;
}

static void run_alone(void)
{
    run_forward();
}

int main(void)
{
    void *plugin = open_plugin();
    struct link_map *map;

    JOIN(spawn("alone", run_alone));
    dlinfo(plugin, RTLD_DI_LINKMAP, &map);
    void *was = (void *)map->l_addr;
    dlclose(plugin);
    mmap(was, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); // it comes elsewhere
    open_plugin();
    pthread_t f = spawn("forward", forward), g = spawn("backward", backward);
    JOIN(f);
    JOIN(g);
    return 0;
}
