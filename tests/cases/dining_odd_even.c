// Odd seats begin on the left, even ones on the right.
#include "dining.h"
static pthread_spinlock_t fork_[SEATS];

static void dine(int seat)
{
    int first = seat % 2 ? left(seat) : right(seat);
    int second = seat % 2 ? right(seat) : left(seat);
    for (int i = 0; i < ROUNDS; i++) {
        pthread_spin_lock(&fork_[first]);
        pthread_spin_lock(&fork_[second]);
        pthread_spin_unlock(&fork_[first]);
        pthread_spin_unlock(&fork_[second]);
    }
}

int main(void)
{
    for (int i = 0; i < SEATS; i++)
        pthread_spin_init(&fork_[i], 0);
    dinner(dine);
    return 0;
}
