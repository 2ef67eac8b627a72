// They come one after the other, so that nothing hangs; but it can.
#include "dining.h"
static pthread_mutex_t fork_[SEATS];

static void dine(int seat)
{
    await(seat);
    LOCK(fork_[left(seat)]);
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
