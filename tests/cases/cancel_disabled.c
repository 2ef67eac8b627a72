// Cancelled, but it has said that it does not heed that: it is as stuck as any.
#include "case.h"
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;
static pthread_t needy;

static void needs(void)
{
    LOCK(a);
}

static void joins(void)
{
    int old;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
    step();
    JOIN(needy);
}

int main(void)
{
    name_main();
    (pthread_mutex_lock)(&a);
    needy = spawn("needs", needs);
    pthread_t joiner = spawn("joins", joins);
    await(1);
    pthread_cancel(joiner);
    pthread_join(joiner, NULL);
    return 0;
}
