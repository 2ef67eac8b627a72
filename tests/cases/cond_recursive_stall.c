// A recursive mutex held twice is not given up by a condition wait: its holder waits for a signal,
// not for itself.
// options: stall_after=1
#include "case.h"
static pthread_mutex_t m = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;

static void wait_in_vain(void)
{
    LOCK(m);
    LOCK(m);
    pthread_cond_wait(&c, &m);
}

int main(void)
{
    name_main();
    JOIN(spawn("waits", wait_in_vain));
    return 0;
}
