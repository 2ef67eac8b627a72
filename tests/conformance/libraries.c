/*
 * Functions of libraries whose locks are watched: a program that has not got the library finds none
 * of them, by a weak reference or by dlsym; once it has loaded one, dlsym tells of the library's
 * own. And what confines itself before it loads one goes on.
 */
// quiet
#include "tell.h"
#include <dlfcn.h>

extern void g_mutex_lock(void *) __attribute__((weak));
extern void g_cond_wait(void *, void *) __attribute__((weak));
extern void omp_set_lock(void *) __attribute__((weak));
extern void GOMP_critical_start(void) __attribute__((weak));
extern void __kmpc_critical(void *, int, void *) __attribute__((weak));

static void look(const char *name, const void *weak)
{
    Dl_info info;
    void *found = dlsym(RTLD_DEFAULT, name);
    const char *file = found && dladdr(found, &info) ? strrchr(info.dli_fname, '/') : "/none";

    say("%s: weak %s, dlsym %s of %s", name, weak ? "there" : "not there",
        found ? "there" : "not there", file ? file + 1 : "?");
    say("dlerror: %s", dlerror() ? "said something" : "nothing");
}

static void look_for_all(void)
{
    look("g_mutex_lock", (const void *)g_mutex_lock);
    look("g_cond_wait", (const void *)g_cond_wait);
    look("omp_set_lock", (const void *)omp_set_lock);
    look("GOMP_critical_start", (const void *)GOMP_critical_start);
    look("__kmpc_critical", (const void *)__kmpc_critical);
}

static void *library;

static void use(void)
{
    void (*init)(int *) = (void (*)(int *))dlsym(library, "omp_init_lock");
    void (*set)(int *) = (void (*)(int *))dlsym(library, "omp_set_lock");
    int (*test)(int *) = (int (*)(int *))dlsym(library, "omp_test_lock");
    int lock = 7;

    init(&lock);
    set(&lock);
    say("taken: %d, again: %d", lock, test(&lock));
}

int main(void)
{
    look_for_all();
    library = dlopen("libgomp.so.1", RTLD_NOW | RTLD_GLOBAL);
    say("loaded: %d", library != NULL);
    JOIN(spawn("one", look_for_all)); /* by now it is known that it came */
    if (library)
        JOIN(spawn("two", use));
    return 0;
}
