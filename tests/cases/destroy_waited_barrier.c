// options: stall_after=1
// A barrier is destroyed while a thread stands at it: glibc waits for that one for ever.
#include "asleep.h"
static pthread_barrier_t b;
static pid_t tid;

static void waiter(void)
{
    tid = gettid();
    step();
    pthread_barrier_wait(&b);
}

int main(void)
{
    name_main();
    pthread_barrier_init(&b, NULL, 2);
    spawn("waiter", waiter);
    await(1);
    await_asleep(tid);
    pthread_barrier_destroy(&b);
    return 0;
}
