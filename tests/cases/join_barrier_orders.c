// What the joined thread took before a barrier is over when the joiner comes from it.
#include "case.h"
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t barrier;

static void worker(void)
{
    LOCK(m);
    UNLOCK(m);
    pthread_barrier_wait(&barrier);
}

int main(void)
{
    name_main();
    pthread_barrier_init(&barrier, NULL, 2);
    pthread_t t = spawn("worker", worker);
    pthread_barrier_wait(&barrier);
    LOCK(m);
    pthread_join(t, NULL);
    UNLOCK(m);
    return 0;
}
