// One of them is left-handed: no circle either.
#include "dining.h"
static pthread_mutex_t fork_[SEATS];

static void dine(int seat)
{
    int first = seat == 3 ? right(seat) : left(seat);
    int second = seat == 3 ? left(seat) : right(seat);
    for (int i = 0; i < ROUNDS; i++) {
        LOCK(fork_[first]);
        LOCK(fork_[second]);
        UNLOCK(fork_[second]);
        UNLOCK(fork_[first]);
    }
}

int main(void)
{
    dinner(dine);
    return 0;
}
