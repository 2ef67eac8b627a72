// A robust mutex that the thread let go of tells nothing of its end. (Twin of
// join_owner_died_quiet.)
#include "case.h"
static pthread_mutex_t m;

static void works(void)
{
    LOCK(m);
    UNLOCK(m);
    step();
}

int main(void)
{
    pthread_mutexattr_t attr;
    name_main();
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&m, &attr);
    pthread_t t = spawn("works", works);
    await(1);
    LOCK(m);
    pthread_join(t, NULL);
    UNLOCK(m);
    return 0;
}
