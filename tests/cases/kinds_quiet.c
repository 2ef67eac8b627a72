// Every kind of mutex in one order, contended, with robust, PI and process-shared ones.
#include "case.h"
static pthread_mutex_t locks[7];

static void all(void)
{
    for (int round = 0; round < 300; round++) {
        for (int i = 0; i < 7; i++)
            LOCK(locks[i]);
        for (int i = 0; i < 7; i++)
            UNLOCK(locks[i]);
    }
}

int main(void)
{
    pthread_mutexattr_t attr;
    for (int i = 0; i < 7; i++) {
        pthread_mutexattr_init(&attr);
        if (i < 4)
            pthread_mutexattr_settype(&attr, i);
        else if (i == 4)
            pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
        else if (i == 5)
            pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT);
        else
            pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
        pthread_mutex_init(&locks[i], &attr);
    }
    pthread_t l = spawn("left", all), r = spawn("right", all);
    JOIN(l);
    JOIN(r);
    for (int i = 0; i < 7; i++)
        pthread_mutex_destroy(&locks[i]);
    return 0;
}
