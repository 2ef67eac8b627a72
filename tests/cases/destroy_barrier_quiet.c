// options: stall_after=1
// The last of a round may destroy the barrier before the others have left it.
#include "case.h"
enum { ROUNDS = 500, SIZE = 3 };
static pthread_barrier_t b;

static void *others(void *arg)
{
    pthread_barrier_wait(&b);
    return arg;
}

int main(void)
{
    pthread_t threads[SIZE - 1];

    name_main();
    for (int i = 0; i < ROUNDS; i++) {
        pthread_barrier_init(&b, NULL, SIZE);
        for (int k = 0; k < SIZE - 1; k++)
            pthread_create(&threads[k], NULL, others, NULL);
        pthread_barrier_wait(&b);
        pthread_barrier_destroy(&b);
        for (int k = 0; k < SIZE - 1; k++)
            JOIN(threads[k]);
    }
    return 0;
}
