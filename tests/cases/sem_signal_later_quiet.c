// A signal that its own waiter happened to post at first. What was learned while it still looked
// like a lock is told only once the waiter has given back what it waited for; another does.
#include "case.h"
#include <semaphore.h>
static sem_t more;
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;

static void consumer(void)
{
    sem_wait(&more);
    LOCK(m);
    UNLOCK(m);
    sem_post(&more);
    step();
    await(2);
}

static void other_consumer(void)
{
    await(1);
    LOCK(m);
    sem_wait(&more);
    UNLOCK(m);
    step();
}

static void producer(void)
{
    await(2);
    sem_post(&more);
}

int main(void)
{
    sem_init(&more, 0, 1);
    pthread_t c = spawn("consumer", consumer), o = spawn("other", other_consumer),
              p = spawn("producer", producer);
    JOIN(c);
    JOIN(o);
    JOIN(p);
    return 0;
}
