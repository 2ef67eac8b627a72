// options: marks=0
// With marks off the library leaves the bytes of locks alone, however often they are taken.
#include "case.h"
static pthread_mutex_t outer = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t inner = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;

int main(void)
{
    pthread_mutex_t mutex_before = inner;
    pthread_rwlock_t rw_before = rw;

    for (int i = 0; i < 3; i++) {
        LOCK(outer);
        LOCK(inner);
        RDLOCK(rw);
        RWUNLOCK(rw);
        UNLOCK(inner);
        UNLOCK(outer);
    }
    return memcmp(&inner, &mutex_before, sizeof inner) || memcmp(&rw, &rw_before, sizeof rw);
}
