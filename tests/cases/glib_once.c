// The initialisation that g_once_init_enter lets one thread run takes a mutex whose holder waits
// for that initialisation.
#include "case.h"
#include "glib.h"
static GMutex registry;
static size_t type;

static void first(void)
{
    if (g_once_init_enter(&type)) {
        step();
        await(2);
        g_mutex_lock(&registry);
        g_mutex_unlock(&registry);
        g_once_init_leave(&type, 1);
    }
}

static void second(void)
{
    g_mutex_lock(&registry);
    await(1);
    step();
    if (g_once_init_enter(&type))
        g_once_init_leave(&type, 1);
    g_mutex_unlock(&registry);
}

int main(void)
{
    pthread_t f = spawn("first", first), s = spawn("second", second);
    JOIN(f);
    JOIN(s);
    return 0;
}
