// Forks that are semaphores.
#include "dining.h"
static sem_t fork_[SEATS];

static void dine(int seat)
{
    sem_wait(&fork_[left(seat)]);
    meet();
    (sem_wait)(&fork_[right(seat)]);
}

int main(void)
{
    for (int i = 0; i < SEATS; i++)
        sem_init(&fork_[i], 0, 1);
    dinner(dine);
    return 0;
}
