// options: stall_after=1
// The same, and nobody looks at the neighbours in the end: the hungry wait for ever, and so does
// who has eaten and is hungry again.
#include "dining.h"
static sem_t table, begin[SEATS];
static bool eats[SEATS];

static void dine(int seat)
{
    await(seat);
    sem_wait(&table);
    if (!eats[(seat + 1) % SEATS] && !eats[(seat + SEATS - 1) % SEATS]) {
        eats[seat] = true;
        sem_post(&begin[seat]);
    }
    sem_post(&table);
    step();
    sem_wait(&begin[seat]);
    await(SEATS);
    sem_wait(&table);
    eats[seat] = false;
    sem_post(&table);
    (sem_wait)(&begin[seat]);
}

int main(void)
{
    sem_init(&table, 0, 1);
    for (int i = 0; i < SEATS; i++)
        sem_init(&begin[i], 0, 0);
    dinner(dine);
    return 0;
}
