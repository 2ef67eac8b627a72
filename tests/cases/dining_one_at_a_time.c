// options: stall_after=1
// A monitor for each fork: each has one and waits for the other, without any lock in hand.
#include "dining.h"
static pthread_mutex_t table = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t freed[SEATS];
static bool used[SEATS];

static void pick_up(int fork)
{
    LOCK(table);
    while (used[fork])
        pthread_cond_wait(&freed[fork], &table);
    used[fork] = true;
    UNLOCK(table);
}

static void dine(int seat)
{
    pick_up(left(seat));
    meet();
    pick_up(right(seat));
}

int main(void)
{
    for (int i = 0; i < SEATS; i++)
        pthread_cond_init(&freed[i], NULL);
    dinner(dine);
    return 0;
}
