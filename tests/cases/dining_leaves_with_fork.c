// One gets up with a fork in her hand; her neighbour waits for it for ever.
#include "dining.h"
static pthread_mutex_t fork_[SEATS];

static void dine(int seat)
{
    if (seat == 1) {
        LOCK(fork_[left(seat)]);
        step();
    } else if (seat == 0) {
        await(1);
        LOCK(fork_[left(seat)]);
        pthread_mutex_lock(&fork_[right(seat)]);
    }
}

int main(void)
{
    dinner(dine);
    return 0;
}
