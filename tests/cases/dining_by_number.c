// The fork with the lower number first: no circle.
#include "dining.h"
static pthread_mutex_t fork_[SEATS];

static void dine(int seat)
{
    int low = left(seat) < right(seat) ? left(seat) : right(seat);
    int high = left(seat) + right(seat) - low;
    for (int i = 0; i < ROUNDS; i++) {
        LOCK(fork_[low]);
        LOCK(fork_[high]);
        UNLOCK(fork_[low]);
        UNLOCK(fork_[high]);
    }
}

int main(void)
{
    dinner(dine);
    return 0;
}
