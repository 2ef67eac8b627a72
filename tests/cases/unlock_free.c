// A mutex unlocked that nobody holds.
#include "case.h"
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;

int main(void)
{
    name_main();
    LOCK(m);
    UNLOCK(m);
    pthread_mutex_unlock(&m);
    return 0;
}
