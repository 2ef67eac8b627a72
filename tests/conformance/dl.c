/*
 * Libraries that come and go with their locks; and the loader's lock held by a thread that waits
 * for a lock of the program, whose holder meanwhile makes new lock orders, or for one that makes a
 * thread.
 */
// quiet
#include "tell.h"
#include <dlfcn.h>
#include <link.h>

pthread_mutex_t wanted_by_loader = PTHREAD_MUTEX_INITIALIZER;
void loader_is_inside(void);
static pthread_mutex_t fresh[8];

void loader_is_inside(void)
{
    step();
}

/* Called holding wanted_by_loader while another thread is inside the loader. */
static void new_orders(int from, int to)
{
    for (int i = 0; i < 100; i++)
        sched_yield();
    for (int i = from; i < to; i++) {
        TELL(pthread_mutex_lock(&fresh[i]));
        TELL(pthread_mutex_unlock(&fresh[i]));
    }
}

static void come_and_go(void)
{
    for (int i = 0; i < 20; i++) {
        void *handle = dlopen("plugin.so", RTLD_NOW);
        void (*use)(void) = (void (*)(void))dlsym(handle, "plugin_use");
        use();
        JOIN(spawn("user", use));
        if (dlclose(handle) || dlopen("plugin.so", RTLD_NOW | RTLD_NOLOAD))
            say("not closed");
    }
    say("came and went");
}

static void opener(void)
{
    void *handle = dlopen("wants_lock.so", RTLD_NOW);
    say("opened: %d", handle != NULL);
    dlclose(handle);
}

static int callback(struct dl_phdr_info *info, size_t size, void *data)
{
    (void)info, (void)size, (void)data;
    step();
    LOCK(wanted_by_loader);
    UNLOCK(wanted_by_loader);
    return 1;
}

static void walker(void)
{
    say("walked: %d", dl_iterate_phdr(callback, NULL));
}

static int waits_for_thread(struct dl_phdr_info *info, size_t size, void *data)
{
    (void)info, (void)size, (void)data;
    step();
    await(4);
    return 1;
}

static void comes_back(void)
{
    step();
}

/* What is loaded has changed, and nobody has seen that yet. */
static void walker_after_change(void)
{
    dlclose(dlopen("plugin.so", RTLD_NOW));
    say("walked: %d", dl_iterate_phdr(waits_for_thread, NULL));
}

int main(void)
{
    for (int i = 0; i < 8; i++)
        pthread_mutex_init(&fresh[i], NULL);
    come_and_go();
    LOCK(wanted_by_loader);
    pthread_t t = spawn("opener", opener);
    await(1);
    new_orders(0, 4);
    UNLOCK(wanted_by_loader);
    JOIN(t);
    LOCK(wanted_by_loader);
    t = spawn("walker", walker);
    await(2);
    new_orders(4, 8);
    UNLOCK(wanted_by_loader);
    JOIN(t);
    t = spawn("walker", walker_after_change);
    await(3);
    JOIN(spawn("made", comes_back));
    JOIN(t);
    return 0;
}
