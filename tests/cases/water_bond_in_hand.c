// options: stall_after=1
// An atom waits for the others at the barrier with the mutex in hand that they come through.
#include "case.h"
static pthread_mutex_t count = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t bond;
static int atoms;

static void hydrogen(void)
{
    LOCK(count);
    atoms++;
    step();
    pthread_barrier_wait(&bond);
    UNLOCK(count);
}

static void oxygen(void)
{
    await(1);
    LOCK(count);
    atoms++;
    UNLOCK(count);
    pthread_barrier_wait(&bond);
}

int main(void)
{
    name_main();
    pthread_barrier_init(&bond, NULL, 2);
    pthread_t h = spawn("H", hydrogen), o = spawn("O", oxygen);
    JOIN(h);
    JOIN(o);
    return 0;
}
