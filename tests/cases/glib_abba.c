// Two threads, two GMutexes, taken in opposite orders: both wait for ever. GLib sleeps in a futex
// of its own; the wait that is told is that for the mutex.
#include "case.h"
#include "glib.h"
static GMutex a, b;

static void left(void)
{
    g_mutex_lock(&a);
    step();
    await(2);
    g_mutex_lock(&b);
}

static void right(void)
{
    g_mutex_lock(&b);
    step();
    await(2);
    g_mutex_lock(&a);
}

int main(void)
{
    pthread_t l = spawn("left", left), r = spawn("right", right);
    JOIN(l);
    JOIN(r);
    return 0;
}
