// main joins under a; the worker took b, under which a third thread takes a.
#include "case.h"
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;

static void third(void)
{
    LOCK(b);
    LOCK(a);
    UNLOCK(a);
    UNLOCK(b);
    step();
}

static void worker(void)
{
    await(1);
    LOCK(b);
    UNLOCK(b);
    step();
}

int main(void)
{
    name_main();
    pthread_t t = spawn("third", third), w = spawn("worker", worker);
    await(2);
    LOCK(a);
    JOIN(w);
    UNLOCK(a);
    JOIN(t);
    return 0;
}
