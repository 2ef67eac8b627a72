// Functions that stand in the program's own data, as in a table of operations, are watched too: a
// mutex that is let go of through such a table is not held any more.
#include "case.h"
#include "glib.h"
static GMutex a, b;
static void (*const release)(GMutex *) = g_mutex_unlock;
static void (*volatile released_last)(GMutex *) = g_mutex_unlock;

static void one_by_one(void)
{
    g_mutex_lock(&a);
    release(&a);
    g_mutex_lock(&b);
    released_last(&b);
    step();
}

static void nested(void)
{
    await(1);
    g_mutex_lock(&b);
    g_mutex_lock(&a);
    release(&a);
    released_last(&b);
}

int main(void)
{
    pthread_t o = spawn("one_by_one", one_by_one), n = spawn("nested", nested);
    JOIN(o);
    JOIN(n);
    return 0;
}
