// Unlocking in another order than last in, first out is no misuse.
#include "case.h"
static pthread_mutex_t locks[6];

static void mix(void)
{
    static const int order[] = {3, 0, 5, 1, 4, 2};
    for (int round = 0; round < 200; round++) {
        for (int i = 0; i < 6; i++)
            LOCK(locks[i]);
        for (int i = 0; i < 6; i++)
            UNLOCK(locks[order[i]]);
    }
}

int main(void)
{
    for (int i = 0; i < 6; i++)
        pthread_mutex_init(&locks[i], NULL);
    pthread_t x = spawn("one", mix), y = spawn("two", mix);
    JOIN(x);
    JOIN(y);
    return 0;
}
