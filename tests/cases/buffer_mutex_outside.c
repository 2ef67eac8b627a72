// options: stall_after=1
// The two waits in the wrong order: the consumer waits for a full slot with the mutex in hand that
// the producer needs to fill one.
#include "case.h"
#include <semaphore.h>
static sem_t free_slots, full_slots;
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;

static void consumer(void)
{
    LOCK(m);
    step();
    sem_wait(&full_slots);
    UNLOCK(m);
    sem_post(&free_slots);
}

static void producer(void)
{
    await(1);
    sem_wait(&free_slots);
    LOCK(m);
    UNLOCK(m);
    sem_post(&full_slots);
}

int main(void)
{
    name_main();
    sem_init(&free_slots, 0, 2);
    sem_init(&full_slots, 0, 0);
    pthread_t c = spawn("consumer", consumer), p = spawn("producer", producer);
    JOIN(c);
    JOIN(p);
    return 0;
}
