// Cancelled, but a wait for a mutex heeds that only afterwards.
#include "case.h"
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;

static void needs(void)
{
    step();
    LOCK(a);
}

int main(void)
{
    name_main();
    (pthread_mutex_lock)(&a);
    pthread_t needy = spawn("needs", needs);
    await(1);
    pthread_cancel(needy);
    JOIN(needy);
    return 0;
}
