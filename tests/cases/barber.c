// The sleeping barber: customers wake him, and leave when all chairs are taken.
#include "case.h"
#include <semaphore.h>
enum { CHAIRS = 2, CUSTOMERS = 6 };
static sem_t customers, ready;
static pthread_mutex_t shop = PTHREAD_MUTEX_INITIALIZER;
static int waiting, is_closed, served, left;

static void barber(void)
{
    for (;;) {
        sem_wait(&customers);
        LOCK(shop);
        if (waiting == 0 && is_closed) {
            UNLOCK(shop);
            return;
        }
        waiting--;
        served++;
        UNLOCK(shop);
        sem_post(&ready);
    }
}

static void customer(void)
{
    LOCK(shop);
    if (waiting == CHAIRS) {
        left++;
        UNLOCK(shop);
        return;
    }
    waiting++;
    UNLOCK(shop);
    sem_post(&customers);
    sem_wait(&ready);
}

int main(void)
{
    pthread_t threads[CUSTOMERS];
    sem_init(&customers, 0, 0);
    sem_init(&ready, 0, 0);
    pthread_t b = spawn("barber", barber);
    for (int i = 0; i < CUSTOMERS; i++)
        threads[i] = spawn("customer", customer);
    for (int i = 0; i < CUSTOMERS; i++)
        JOIN(threads[i]);
    LOCK(shop);
    is_closed = 1;
    UNLOCK(shop);
    sem_post(&customers);
    JOIN(b);
    printf("%d\n", served + left);
    return 0;
}
