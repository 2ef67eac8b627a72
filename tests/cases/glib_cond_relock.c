// A wait for a GCond ends only with its GMutex in hand: signalled, it waits for the one who
// signalled, and that one for what it holds.
#include "case.h"
#include "glib.h"
static GMutex queue, ledger;
static GCond filled;

static void writer(void)
{
    await(1);
    g_mutex_lock(&queue);
    g_cond_signal(&filled);
    g_mutex_lock(&ledger);
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
