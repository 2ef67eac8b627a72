// A once-routine that locks, run by whoever comes first, under nothing.
#include "case.h"
#include <threads.h>
static pthread_once_t once = PTHREAD_ONCE_INIT;
static once_flag flag = ONCE_FLAG_INIT;
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;

static void routine(void)
{
    LOCK(m);
    UNLOCK(m);
}

static void user(void)
{
    for (int i = 0; i < 100; i++) {
        pthread_once(&once, routine);
        call_once(&flag, routine);
        LOCK(m);
        UNLOCK(m);
    }
}

int main(void)
{
    pthread_t x = spawn("one", user), y = spawn("two", user);
    JOIN(x);
    JOIN(y);
    return 0;
}
