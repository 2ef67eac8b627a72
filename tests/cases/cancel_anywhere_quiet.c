// Cancelled where it said that this may come at any time, also in a wait for a mutex.
#include "asleep.h"
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;
static pid_t waiter;

static void needs(void)
{
    int old;
    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &old);
    waiter = (pid_t)syscall(SYS_gettid);
    step();
    LOCK(a);
}

int main(void)
{
    LOCK(a);
    pthread_t needy = spawn("needs", needs);
    await(1);
    await_asleep(waiter);
    pthread_cancel(needy);
    JOIN(needy);
    UNLOCK(a);
    return 0;
}
