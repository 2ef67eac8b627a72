// The main thread is cancelled with a lock in hand; who joins it wants that lock.
#include "case.h"
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;
static pthread_t main_thread;

static void want(void)
{
    await(1);
    pthread_cancel(main_thread);
    JOIN(main_thread);
    LOCK(a);
}

int main(void)
{
    name_main();
    main_thread = pthread_self();
    spawn("want", want);
    LOCK(a);
    step();
    for (;;)
        pause();
}
