// A thread goes by its creator's name until it gets one, whichever way that was given; the kernel
// keeps fifteen letters of it.
#include "case.h"
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;

static void *worker(void *unused)
{
    (void)unused;
    LOCK(m);
    UNLOCK(m);
    step();
    return NULL;
}

int main(void)
{
    pthread_t t;

    prctl(PR_SET_NAME, "maker of workers");
    pthread_create(&t, NULL, worker, NULL);
    syscall(SYS_prctl, PR_SET_NAME, "main");
    await(1);
    pthread_mutex_lock(&m);
    JOIN(t);
    UNLOCK(m);
    return 0;
}
