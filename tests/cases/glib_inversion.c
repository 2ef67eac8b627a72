// Two GMutexes in two orders, one after the other; a third has one order, and a try proves none.
#include "case.h"
#include "glib.h"
static GMutex a, b, c;

static void forward(void)
{
    g_mutex_lock(&a);
    g_mutex_lock(&b);
    g_mutex_unlock(&b);
    g_mutex_lock(&c);
    g_mutex_unlock(&c);
    g_mutex_unlock(&a);
    step();
}

static void backward(void)
{
    await(1);
    g_mutex_lock(&b);
    g_mutex_lock(&a);
    g_mutex_unlock(&a);
    g_mutex_unlock(&b);
    g_mutex_lock(&c);
    if (g_mutex_trylock(&a))
        g_mutex_unlock(&a);
    g_mutex_unlock(&c);
}

int main(void)
{
    pthread_t f = spawn("forward", forward), g = spawn("backward", backward);
    JOIN(f);
    JOIN(g);
    return 0;
}
