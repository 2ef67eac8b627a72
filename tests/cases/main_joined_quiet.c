// The main thread can be joined: what it did comes before what its joiner does.
#include "case.h"
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static pthread_t main_thread;

static void after(void)
{
    JOIN(main_thread);
    LOCK(a);
    LOCK(b);
    UNLOCK(b);
    UNLOCK(a);
    exit(0);
}

int main(void)
{
    name_main();
    main_thread = pthread_self();
    spawn("after", after);
    LOCK(b);
    LOCK(a);
    UNLOCK(a);
    UNLOCK(b);
    pthread_exit(NULL);
}
