// Destroyed while it is held.
#include "case.h"
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;

int main(void)
{
    name_main();
    LOCK(m);
    printf("%d\n", pthread_mutex_destroy(&m) == EBUSY);
    UNLOCK(m);
    pthread_mutex_destroy(&m);
    return 0;
}
