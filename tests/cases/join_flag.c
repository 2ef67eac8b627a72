// Joined under the lock under which the thread has set a flag. Flags are not seen: a warning.
#include "case.h"
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static int may_be_joined;

static void worker(void)
{
    LOCK(m);
    may_be_joined = 1;
    UNLOCK(m);
}

int main(void)
{
    name_main();
    pthread_t t = spawn("worker", worker);
    for (int joined = 0; !joined; sched_yield()) {
        (pthread_mutex_lock)(&m);
        if (may_be_joined)
            joined = !pthread_join(t, NULL);
        UNLOCK(m);
    }
    return 0;
}
