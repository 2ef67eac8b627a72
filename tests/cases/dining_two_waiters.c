// Two waiters, each with guests of his own: no more than two are between their forks at once, and
// that is too few for a circle of five.
#include "dining.h"
static pthread_mutex_t waiter[2], fork_[SEATS];

static void dine(int seat)
{
    await(seat);
    LOCK(waiter[seat % 2]);
    LOCK(fork_[left(seat)]);
    pthread_mutex_lock(&fork_[right(seat)]);
    UNLOCK(waiter[seat % 2]);
    UNLOCK(fork_[right(seat)]);
    UNLOCK(fork_[left(seat)]);
    step();
}

int main(void)
{
    dinner(dine);
    return 0;
}
