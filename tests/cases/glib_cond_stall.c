// options: stall_after=1
// A GCond that nobody will signal, for who would do so asks for a mutex that the one who waits
// holds.
#include "case.h"
#include "glib.h"
static GMutex queue, ledger;
static GCond filled;

static void writer(void)
{
    await(1);
    g_mutex_lock(&ledger);
    g_cond_signal(&filled);
    g_mutex_unlock(&ledger);
}

int main(void)
{
    name_main();
    pthread_t w = spawn("writer", writer);
    g_mutex_lock(&ledger);
    g_mutex_lock(&queue);
    step();
    g_cond_wait(&filled, &queue);
    JOIN(w);
    return 0;
}
