// A thread that is named by its handle before it has begun goes by that name.
#include "case.h"
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;

static void *worker(void *unused)
{
    (void)unused;
    await(1); /* not gone before it is named */
    LOCK(m);
    UNLOCK(m);
    step();
    return NULL;
}

int main(void)
{
    cpu_set_t here, all;
    pthread_t t;

    /* On one processor, where its creator goes on first. */
    sched_getaffinity(0, sizeof all, &all);
    CPU_ZERO(&here);
    CPU_SET(sched_getcpu(), &here);
    sched_setaffinity(0, sizeof here, &here);
    pthread_create(&t, NULL, worker, NULL);
    pthread_setname_np(t, "named at once");
    step();
    sched_setaffinity(0, sizeof all, &all);
    await(2);
    LOCK(m);
    pthread_join(t, NULL);
    UNLOCK(m);
    return 0;
}
