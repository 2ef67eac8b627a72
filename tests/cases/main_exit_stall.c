// The main thread has ended, and the only other waits for a signal: still every thread is known.
// options: stall_after=1
#include "case.h"
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
static pthread_t main_thread;

static void wait_in_vain(void)
{
    JOIN(main_thread);
    LOCK(a);
    pthread_cond_wait(&c, &a);
}

int main(void)
{
    name_main();
    main_thread = pthread_self();
    spawn("waits", wait_in_vain);
    pthread_exit(NULL);
}
