// One seat fewer than forks: somebody always gets both.
#include "dining.h"
static pthread_mutex_t fork_[SEATS];
static sem_t seats;

static void dine(int seat)
{
    for (int i = 0; i < ROUNDS; i++) {
        sem_wait(&seats);
        LOCK(fork_[left(seat)]);
        pthread_mutex_lock(&fork_[right(seat)]);
        UNLOCK(fork_[right(seat)]);
        UNLOCK(fork_[left(seat)]);
        sem_post(&seats);
    }
}

int main(void)
{
    sem_init(&seats, 0, SEATS - 1);
    dinner(dine);
    return 0;
}
