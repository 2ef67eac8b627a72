// EDEADLK taken for a lock: the second unlock gives back what was never taken.
#include "case.h"
static pthread_mutex_t m = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP;

int main(void)
{
    name_main();
    LOCK(m);
    LOCK(m);
    UNLOCK(m);
    printf("%d\n", (pthread_mutex_unlock)(&m) == EPERM);
    return 0;
}
