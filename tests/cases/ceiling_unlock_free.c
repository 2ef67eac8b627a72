// The word of a mutex with a priority ceiling is never zero: unlocked by one who never had it, it
// is told all the same.
#include "case.h"

int main(void)
{
    pthread_mutexattr_t attr;
    pthread_mutex_t m;
    name_main();
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_PROTECT);
    pthread_mutexattr_setprioceiling(&attr, 50);
    if (pthread_mutex_init(&m, &attr))
        return 99;
    printf("%s\n", strerror(pthread_mutex_unlock(&m)));
    pthread_mutex_destroy(&m);
    return 0;
}
