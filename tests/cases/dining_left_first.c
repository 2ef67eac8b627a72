// Everybody takes the left fork, and then the right one: the textbook's deadlock.
#include "dining.h"
static pthread_mutex_t fork_[SEATS];

static void dine(int seat)
{
    LOCK(fork_[left(seat)]);
    meet();
    pthread_mutex_lock(&fork_[right(seat)]);
}

int main(void)
{
    dinner(dine);
    return 0;
}
