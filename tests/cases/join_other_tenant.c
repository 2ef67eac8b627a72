// The worker took a lock that lived at the same address before: another one.
#include "case.h"
static _Alignas(16) char room[sizeof(pthread_mutex_t)];
static pthread_mutex_t *m = (pthread_mutex_t *)room;

static void worker(void)
{
    LOCK(*m);
    UNLOCK(*m);
    pthread_mutex_destroy(m);
    step();
}

int main(void)
{
    name_main();
    pthread_mutex_init(m, NULL);
    pthread_t t = spawn("worker", worker);
    await(1);
    pthread_mutex_init(m, NULL);
    pthread_mutex_lock(m);
    JOIN(t);
    UNLOCK(*m);
    return 0;
}
