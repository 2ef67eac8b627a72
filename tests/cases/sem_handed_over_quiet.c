// Taken in one thread and posted in another, in both orders: a relay, not locks.
#include "case.h"
#include <semaphore.h>
static sem_t a, b;

static void runner(void)
{
    for (int i = 0; i < 200; i++) {
        sem_wait(&a);
        sem_post(&b);
    }
}

static void returner(void)
{
    for (int i = 0; i < 200; i++) {
        sem_wait(&b);
        sem_post(&a);
    }
}

int main(void)
{
    sem_init(&a, 0, 1);
    sem_init(&b, 0, 0);
    pthread_t x = spawn("runner", runner), y = spawn("returner", returner);
    JOIN(x);
    JOIN(y);
    return 0;
}
