// options: stall_after=1
// Made for several processes, but in memory of this one alone: nobody outside can end these waits.
// (Twins: stall_shared_quiet and its kin.)
#include "case.h"
static pthread_mutex_t m;
static pthread_cond_t never;

static void waiter(void)
{
    pthread_mutex_lock(&m);
    step();
    pthread_cond_wait(&never, &m);
    pthread_mutex_unlock(&m);
}

static void second(void)
{
    await(1);
    pthread_mutex_lock(&m);
    pthread_cond_wait(&never, &m);
    pthread_mutex_unlock(&m);
}

int main(void)
{
    pthread_mutexattr_t mutex;
    pthread_condattr_t condition;
    name_main();
    pthread_mutexattr_init(&mutex);
    pthread_mutexattr_setpshared(&mutex, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(&m, &mutex);
    pthread_condattr_init(&condition);
    pthread_condattr_setpshared(&condition, PTHREAD_PROCESS_SHARED);
    pthread_cond_init(&never, &condition);
    pthread_t a = spawn("first", waiter), b = spawn("second", second);
    JOIN(a);
    JOIN(b);
    return 0;
}
