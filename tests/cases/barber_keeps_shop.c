// options: stall_after=1
// The barber falls asleep with the shop's key in hand: no customer comes in to wake him.
#include "case.h"
#include <semaphore.h>
static sem_t customers, ready;
static pthread_mutex_t shop = PTHREAD_MUTEX_INITIALIZER;

static void barber(void)
{
    LOCK(shop);
    step();
    sem_wait(&customers);
    UNLOCK(shop);
    sem_post(&ready);
}

static void customer(void)
{
    await(1);
    LOCK(shop);
    UNLOCK(shop);
    sem_post(&customers);
    sem_wait(&ready);
}

int main(void)
{
    name_main();
    sem_init(&customers, 0, 0);
    sem_init(&ready, 0, 0);
    pthread_t b = spawn("barber", barber), c = spawn("customer", customer);
    JOIN(b);
    JOIN(c);
    return 0;
}
