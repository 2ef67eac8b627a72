// A bounded buffer: semaphores count free and full slots, a mutex guards the slots.
#include "case.h"
#include <semaphore.h>
enum { SLOTS = 3, EACH = 40 };
static sem_t free_slots, full_slots;
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static int slots[SLOTS], in, out, sum;

static void producer(void)
{
    for (int i = 1; i <= EACH; i++) {
        sem_wait(&free_slots);
        LOCK(m);
        slots[in++ % SLOTS] = i;
        UNLOCK(m);
        sem_post(&full_slots);
    }
}

static void consumer(void)
{
    for (int i = 0; i < EACH; i++) {
        sem_wait(&full_slots);
        LOCK(m);
        sum += slots[out++ % SLOTS];
        UNLOCK(m);
        sem_post(&free_slots);
    }
}

int main(void)
{
    pthread_t threads[4];
    sem_init(&free_slots, 0, SLOTS);
    sem_init(&full_slots, 0, 0);
    for (int i = 0; i < 4; i++)
        threads[i] = spawn(i < 2 ? "producer" : "consumer", i < 2 ? producer : consumer);
    for (int i = 0; i < 4; i++)
        JOIN(threads[i]);
    printf("%d\n", sum);
    return 0;
}
