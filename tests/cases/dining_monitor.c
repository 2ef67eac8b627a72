// Both forks at once, or none: one mutex, and a condition for each seat.
#include "dining.h"
static pthread_mutex_t table = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t freed[SEATS];
static bool used[SEATS];

static void dine(int seat)
{
    for (int i = 0; i < ROUNDS; i++) {
        LOCK(table);
        while (used[left(seat)] || used[right(seat)])
            pthread_cond_wait(&freed[seat], &table);
        used[left(seat)] = used[right(seat)] = true;
        UNLOCK(table);
        LOCK(table);
        used[left(seat)] = used[right(seat)] = false;
        pthread_cond_signal(&freed[(seat + 1) % SEATS]);
        pthread_cond_signal(&freed[(seat + SEATS - 1) % SEATS]);
        UNLOCK(table);
    }
}

int main(void)
{
    for (int i = 0; i < SEATS; i++)
        pthread_cond_init(&freed[i], NULL);
    dinner(dine);
    return 0;
}
