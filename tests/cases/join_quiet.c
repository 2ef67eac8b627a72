// Joins without locks, joins under a lock that the thread never takes, detached and timed ones.
#include "case.h"
#include <time.h>
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER, other = PTHREAD_MUTEX_INITIALIZER;

static void worker(void)
{
    LOCK(other);
    UNLOCK(other);
}

int main(void)
{
    struct timespec later;
    clock_gettime(CLOCK_REALTIME, &later);
    later.tv_sec += 60;
    for (int i = 0; i < 50; i++) {
        pthread_t t = spawn("worker", worker), u = spawn("worker", worker);
        LOCK(m);
        JOIN(t);
        UNLOCK(m);
        pthread_timedjoin_np(u, NULL, &later);
        LOCK(other);
        UNLOCK(other);
    }
    pthread_detach(spawn("worker", worker));
    return 0;
}
