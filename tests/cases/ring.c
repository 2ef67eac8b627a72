// A cycle of five over an array; names carry the offset in it.
#include "case.h"
static pthread_mutex_t locks[5];
static int seats;

static void sit(void)
{
    static const char *const names[] = {"t0", "t1", "t2", "t3", "t4"};
    int i = __atomic_fetch_add(&seats, 1, __ATOMIC_SEQ_CST);
    pthread_setname_np(pthread_self(), names[i]);
    LOCK(locks[i]);
    step();
    await(5);
    LOCK(locks[(i + 1) % 5]);
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
