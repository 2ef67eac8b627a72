// They back off, all but one who waits for the second fork; and she alone makes no circle.
#include "dining.h"
static pthread_mutex_t fork_[SEATS];

static void dine(int seat)
{
    for (int i = 0; i < ROUNDS; sched_yield()) {
        LOCK(fork_[left(seat)]);
        if ((seat == 2 ? LOCK(fork_[right(seat)]) : TRYLOCK(fork_[right(seat)])) == 0) {
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
