// All that goes well with GLib's locks: one order, a condition that is signalled, a mutex that is
// made anew where another was, locks that are waited for, an initialisation that others wait for.
#include "case.h"
#include "glib.h"
static GMutex a, b;
static GCond changed;
static int value;
static size_t once;

static void one_order(void)
{
    for (int i = 0; i < 1000; i++) {
        g_mutex_lock(&a);
        g_mutex_lock(&b);
        g_mutex_unlock(&b);
        g_mutex_unlock(&a);
    }
}

static void producer(void)
{
    for (int i = 0; i < 100; i++) {
        g_mutex_lock(&a);
        value++;
        g_cond_signal(&changed);
        g_mutex_unlock(&a);
    }
}

static void consumer(void)
{
    for (int i = 0; i < 100; i++) {
        g_mutex_lock(&a);
        while (value == 0)
            g_cond_wait(&changed, &a);
        value--;
        g_mutex_lock(&b); // under a again, as ever
        g_mutex_unlock(&b);
        g_mutex_unlock(&a);
    }
}

static void initialise(void)
{
    g_mutex_lock(&b);
    if (!__atomic_load_n(&once, __ATOMIC_ACQUIRE) && g_once_init_enter(&once)) {
        sched_yield();
        g_once_init_leave(&once, 1);
    }
    g_mutex_unlock(&b);
}

static void both(void (*one)(void), void (*other)(void))
{
    pthread_t f = spawn("one", one), g = spawn("other", other);
    JOIN(f);
    JOIN(g);
}

int main(void)
{
    both(one_order, one_order);
    both(producer, consumer);
    both(initialise, initialise);
    g_mutex_clear(&a);
    g_mutex_clear(&b);
    g_mutex_init(&a); // others live here now: the order of old says nothing
    g_mutex_init(&b);
    g_mutex_lock(&b);
    g_mutex_lock(&a);
    g_mutex_unlock(&a);
    g_mutex_unlock(&b);
    return 0;
}
