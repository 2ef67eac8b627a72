// Hungry, eating, thinking: who puts down the forks looks whether a neighbour may begin, and posts
// that one's own semaphore.
#include "dining.h"
enum state { THINKING, HUNGRY, EATING };
static sem_t table, begin[SEATS];
static enum state states[SEATS];

static void look_at(int seat)
{
    if (states[seat] != HUNGRY || states[(seat + 1) % SEATS] == EATING ||
        states[(seat + SEATS - 1) % SEATS] == EATING)
        return;
    states[seat] = EATING;
    sem_post(&begin[seat]);
}

static void dine(int seat)
{
    for (int i = 0; i < ROUNDS; i++) {
        sem_wait(&table);
        states[seat] = HUNGRY;
        look_at(seat);
        sem_post(&table);
        sem_wait(&begin[seat]);
        sem_wait(&table);
        states[seat] = THINKING;
        look_at((seat + 1) % SEATS);
        look_at((seat + SEATS - 1) % SEATS);
        sem_post(&table);
    }
}

int main(void)
{
    sem_init(&table, 0, 1);
    for (int i = 0; i < SEATS; i++)
        sem_init(&begin[i], 0, 0);
    dinner(dine);
    return 0;
}
