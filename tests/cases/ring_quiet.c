// The same table with one guest who takes the lower number first.
#include "case.h"
static pthread_mutex_t locks[5];
static int seats;

static void sit(void)
{
    int i = __atomic_fetch_add(&seats, 1, __ATOMIC_SEQ_CST), j = (i + 1) % 5;
    for (int round = 0; round < 500; round++) {
        LOCK(locks[i < j ? i : j]);
        LOCK(locks[i < j ? j : i]);
        UNLOCK(locks[i]);
        UNLOCK(locks[j]);
    }
}

int main(void)
{
    pthread_t threads[5];
    for (int i = 0; i < 5; i++)
        pthread_mutex_init(&locks[i], NULL);
    for (int i = 0; i < 5; i++)
        threads[i] = spawn("t", sit);
    for (int i = 0; i < 5; i++)
        JOIN(threads[i]);
    return 0;
}
