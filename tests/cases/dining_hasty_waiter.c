// The waiter turns away after the first fork: nothing is gained.
#include "dining.h"
static pthread_mutex_t waiter = PTHREAD_MUTEX_INITIALIZER, fork_[SEATS];

static void dine(int seat)
{
    await(seat);
    LOCK(waiter);
    LOCK(fork_[left(seat)]);
    UNLOCK(waiter);
    pthread_mutex_lock(&fork_[right(seat)]);
    UNLOCK(fork_[right(seat)]);
    UNLOCK(fork_[left(seat)]);
    step();
}

int main(void)
{
    dinner(dine);
    return 0;
}
