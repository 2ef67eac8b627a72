// A cycle of three hundred threads and locks.
#include "case.h"
static pthread_mutex_t locks[300];
static int seats;

static void sit(void)
{
    int i = __atomic_fetch_add(&seats, 1, __ATOMIC_SEQ_CST);
    LOCK(locks[i]);
    step();
    await(300);
    LOCK(locks[(i + 1) % 300]);
}

int main(void)
{
    pthread_t threads[300];
    for (int i = 0; i < 300; i++)
        pthread_mutex_init(&locks[i], NULL);
    for (int i = 0; i < 300; i++)
        threads[i] = spawn("t", sit);
    for (int i = 0; i < 300; i++)
        JOIN(threads[i]);
    return 0;
}
