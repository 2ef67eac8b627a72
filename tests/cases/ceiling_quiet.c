// Locked and unlocked as it should be (where the process may), and destroyed free. (Twin of
// ceiling_unlock_free.)
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
    for (int i = 0; i < 2 && pthread_mutex_lock(&m) == 0; i++)
        pthread_mutex_unlock(&m);
    pthread_mutex_destroy(&m);
    return 0;
}
