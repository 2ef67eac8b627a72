// Everybody has a waiter of her own: that is none.
#include "dining.h"
static pthread_mutex_t waiter[SEATS], fork_[SEATS];

static void dine(int seat)
{
    LOCK(waiter[seat]);
    LOCK(fork_[left(seat)]);
    meet();
    pthread_mutex_lock(&fork_[right(seat)]);
}

int main(void)
{
    dinner(dine);
    return 0;
}
