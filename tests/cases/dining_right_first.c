// The mirror image, over read-write locks that are only ever written.
#include "dining.h"
static pthread_rwlock_t fork_[SEATS];

static void dine(int seat)
{
    WRLOCK(fork_[right(seat)]);
    meet();
    pthread_rwlock_wrlock(&fork_[left(seat)]);
}

int main(void)
{
    for (int i = 0; i < SEATS; i++)
        pthread_rwlock_init(&fork_[i], NULL);
    dinner(dine);
    return 0;
}
