// A waiter hands out both forks before he turns to the next guest: a gate.
#include "dining.h"
static pthread_mutex_t waiter = PTHREAD_MUTEX_INITIALIZER, fork_[SEATS];

static void dine(int seat)
{
    for (int i = 0; i < ROUNDS; i++) {
        LOCK(waiter);
        LOCK(fork_[left(seat)]);
        pthread_mutex_lock(&fork_[right(seat)]);
        UNLOCK(waiter);
        UNLOCK(fork_[right(seat)]);
        UNLOCK(fork_[left(seat)]);
    }
}

int main(void)
{
    dinner(dine);
    return 0;
}
