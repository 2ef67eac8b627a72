// A token goes round the table, and never two of them eat at once. But who hands on a token is not
// seen to order anything, so the circle is told as possible.
#include "dining.h"
static pthread_mutex_t fork_[SEATS];
static sem_t turn[SEATS];

static void dine(int seat)
{
    for (int i = 0; i < ROUNDS; i++) {
        sem_wait(&turn[seat]);
        LOCK(fork_[left(seat)]);
        pthread_mutex_lock(&fork_[right(seat)]);
        UNLOCK(fork_[right(seat)]);
        UNLOCK(fork_[left(seat)]);
        sem_post(&turn[(seat + 1) % SEATS]);
    }
}

int main(void)
{
    for (int i = 0; i < SEATS; i++)
        sem_init(&turn[i], 0, i == 0);
    dinner(dine);
    return 0;
}
