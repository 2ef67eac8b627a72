// A condition wait whose mutex the caller does not hold.
#include "case.h"
#include <time.h>
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;

int main(void)
{
    struct timespec past = {1, 0};
    name_main();
    pthread_cond_timedwait(&c, &m, &past);
    UNLOCK(m); // the wait has taken it
    return 0;
}
