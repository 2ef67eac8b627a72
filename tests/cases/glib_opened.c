// A program that opens the pages of its table of calls to write there itself (as tools that hook
// calls do) finds them open later: a look that writes in between doesn't close them.
#include "case.h"
#include "glib.h"
#include <dlfcn.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>
static void (*const release)(GMutex *) = g_mutex_unlock; /* in what the loader protects */
static GMutex a;

static void use(void)
{
    g_mutex_lock(&a);
    (*(void (*const volatile *)(GMutex *)) & release)(&a);
}

int main(void)
{
    void (**slot)(GMutex *) = (void (**)(GMutex *))(uintptr_t)&release;
    uintptr_t page = (uintptr_t)slot & -(uintptr_t)getpagesize();
    void *real = dlsym(RTLD_DEFAULT, "g_mutex_unlock");
    if (mprotect((void *)page, getpagesize(), PROT_READ | PROT_WRITE) != 0)
        return 3;
    *slot = (void (*)(GMutex *))real;
    dlclose(dlopen("glib_plugin.so", RTLD_NOW | RTLD_LOCAL));
    JOIN(spawn("user", use)); /* a look is due when it is made, and finds the slot bound anew */
    if (*(void *volatile *)slot == real && getenv("LD_PRELOAD"))
        return 4;
    *slot = (void (*)(GMutex *))real;
    return 0;
}
