// A condition wait that ran out holds its mutex again.
#include "case.h"
#include <time.h>
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;

int main(void)
{
    struct timespec past = {1, 0};
    LOCK(m);
    printf("%d", pthread_cond_timedwait(&cond, &m, &past) == ETIMEDOUT);
    printf("%d\n", pthread_cond_clockwait(&cond, &m, CLOCK_MONOTONIC, &past) == ETIMEDOUT);
    UNLOCK(m);
    return 0;
}
