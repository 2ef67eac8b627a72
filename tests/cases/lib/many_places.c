/* Takes a lock at a thousand places. */
#include <pthread.h>

#define ONCE                                                                                       \
    pthread_mutex_lock(lock);                                                                      \
    pthread_mutex_unlock(lock);
#define TEN(x) x x x x x x x x x x

void take_everywhere(pthread_mutex_t *lock);
void take_everywhere(pthread_mutex_t *lock)
{
    TEN(TEN(TEN(ONCE)))
}
