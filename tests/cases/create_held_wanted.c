// The lock that the creator holds is what the thread's step asks for: that hangs. (Twin of
// create_held_orders; here the thread comes late.)
#include "case.h"
static pthread_mutex_t l = PTHREAD_MUTEX_INITIALIZER, m = PTHREAD_MUTEX_INITIALIZER;

static void worker(void)
{
    await(1);
    LOCK(m);
    LOCK(l);
    UNLOCK(l);
    UNLOCK(m);
}

int main(void)
{
    name_main();
    LOCK(l);
    pthread_t t = spawn("worker", worker);
    LOCK(m);
    UNLOCK(m);
    UNLOCK(l);
    step();
    JOIN(t);
    return 0;
}
