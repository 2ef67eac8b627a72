// A semaphore that seats all of them at once keeps nobody from the ring.
#include "dining.h"
static pthread_mutex_t fork_[SEATS];
static sem_t seats;

static void dine(int seat)
{
    sem_wait(&seats);
    LOCK(fork_[left(seat)]);
    meet();
    pthread_mutex_lock(&fork_[right(seat)]);
}

int main(void)
{
    sem_init(&seats, 0, SEATS);
    dinner(dine);
    return 0;
}
