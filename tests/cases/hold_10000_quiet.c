// limit: 150
// A thread that holds ten thousand locks, twice over, with two threads at it.
#include "case.h"
static pthread_mutex_t locks[10000];

static void all(void)
{
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 10000; i++)
            LOCK(locks[i]);
        for (int i = 10000; i-- > 0;)
            UNLOCK(locks[i]);
    }
}

int main(void)
{
    for (int i = 0; i < 10000; i++)
        pthread_mutex_init(&locks[i], NULL);
    pthread_t x = spawn("one", all), y = spawn("two", all);
    JOIN(x);
    JOIN(y);
    return 0;
}
