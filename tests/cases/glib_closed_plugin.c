// A plugin calls GLib and is not linked with it. The loader binds the call when it is made, and
// keeps GLib for the plugin from then on, though who opened it has closed it.
#include "case.h"
#include <dlfcn.h>

static void (*unlinked_lock)(void);

static void run(void)
{
    unlinked_lock();
}

int main(void)
{
    void *library = dlopen("libglib-2.0.so", RTLD_NOW | RTLD_GLOBAL);
    void *plugin = dlopen("glib_unlinked.so", RTLD_LAZY | RTLD_LOCAL);

    unlinked_lock = (void (*)(void))dlsym(plugin, "unlinked_lock");
    JOIN(spawn("before", run));
    dlclose(library);
    JOIN(spawn("after", run));
    return 0;
}
