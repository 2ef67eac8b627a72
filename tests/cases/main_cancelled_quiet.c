// The main thread is cancelled, lets go of its lock as it is unwound, and is joined.
#include "case.h"
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;
static pthread_t main_thread;

static void want(void)
{
    await(1);
    pthread_cancel(main_thread);
    JOIN(main_thread);
    LOCK(a);
    UNLOCK(a);
}

static void let_go(void *lock)
{
    pthread_mutex_unlock(lock);
}

int main(void)
{
    name_main();
    main_thread = pthread_self();
    spawn("want", want);
    LOCK(a);
    pthread_cleanup_push(let_go, &a);
    step();
    for (;;)
        pause();
    pthread_cleanup_pop(1);
}
