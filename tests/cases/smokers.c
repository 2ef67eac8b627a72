// Cigarette smokers: the agent lays out two of three things, and says to the one smoker who lacks
// just these that it is his turn.
#include "case.h"
#include <semaphore.h>
enum { ROUNDS = 10 };
static sem_t turn[3], table;
static pthread_mutex_t count = PTHREAD_MUTEX_INITIALIZER;
static int is_over, smoked, seats;

static void agent(void)
{
    for (int i = 0; i < ROUNDS; i++) {
        sem_wait(&table);
        sem_post(&turn[i * 7 % 3]);
    }
    sem_wait(&table);
    is_over = 1;
    for (int i = 0; i < 3; i++)
        sem_post(&turn[i]);
}

static void smoker(void)
{
    LOCK(count);
    int seat = seats++;
    UNLOCK(count);
    for (;;) {
        sem_wait(&turn[seat]);
        if (is_over)
            return;
        LOCK(count);
        smoked++;
        UNLOCK(count);
        sem_post(&table);
    }
}

int main(void)
{
    pthread_t threads[3];
    sem_init(&table, 0, 1);
    for (int i = 0; i < 3; i++)
        sem_init(&turn[i], 0, 0);
    for (int i = 0; i < 3; i++)
        threads[i] = spawn("smoker", smoker);
    pthread_t a = spawn("agent", agent);
    JOIN(a);
    for (int i = 0; i < 3; i++)
        JOIN(threads[i]);
    printf("%d\n", smoked);
    return 0;
}
