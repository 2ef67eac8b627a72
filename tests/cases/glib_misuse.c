// GMutexes that are used wrongly: let go of by another thread than the holder, ended while held.
#include "case.h"
#include "glib.h"
static GMutex handed, ended;

static void holder(void)
{
    g_mutex_lock(&handed);
    g_mutex_lock(&ended);
    step();
    await(2);
    g_mutex_unlock(&ended);
}

int main(void)
{
    name_main();
    pthread_t h = spawn("holder", holder);
    await(1);
    g_mutex_unlock(&handed);
    g_mutex_clear(&ended);
    step();
    JOIN(h);
    return 0;
}
