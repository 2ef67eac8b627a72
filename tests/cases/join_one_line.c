// One line that joins is one finding, whichever threads it joins and wherever they take the lock.
#include "case.h"
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;

static void adds(void)
{
    (pthread_mutex_lock)(&m);
    UNLOCK(m);
    step();
}

static void takes(void)
{
    LOCK(m);
    UNLOCK(m);
    step();
}

int main(void)
{
    name_main();
    pthread_t threads[] = {spawn("adds", adds), spawn("takes", takes)};
    await(2);
    LOCK(m);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    UNLOCK(m);
    return 0;
}
