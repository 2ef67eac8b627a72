// One thread in both orders can't meet itself.
#include "case.h"
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;

int main(void)
{
    name_main();
    LOCK(a);
    LOCK(b);
    UNLOCK(b);
    UNLOCK(a);
    pthread_mutex_lock(&b);
    pthread_mutex_lock(&a);
    UNLOCK(a);
    UNLOCK(b);
    return 0;
}
