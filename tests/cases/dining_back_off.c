// Who doesn't get the second fork puts the first one down.
#include "dining.h"
static pthread_mutex_t fork_[SEATS];

static void dine(int seat)
{
    for (int i = 0; i < ROUNDS; sched_yield()) {
        LOCK(fork_[left(seat)]);
        if (TRYLOCK(fork_[right(seat)]) == 0) {
            UNLOCK(fork_[right(seat)]);
            i++;
        }
        UNLOCK(fork_[left(seat)]);
    }
}

int main(void)
{
    dinner(dine);
    return 0;
}
