// Made taken, but still one unit: who holds it keeps the others out, and no circle closes under it.
#include "case.h"
#include <semaphore.h>
static sem_t gate;
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;

static void forward(void)
{
    sem_init(&gate, 0, 1);
    sem_trywait(&gate);
    LOCK(a);
    LOCK(b);
    UNLOCK(b);
    UNLOCK(a);
    sem_post(&gate);
    step();
}

static void backward(void)
{
    await(1);
    sem_wait(&gate);
    LOCK(b);
    LOCK(a);
    UNLOCK(a);
    UNLOCK(b);
    sem_post(&gate);
}

int main(void)
{
    pthread_t f = spawn("forward", forward), g = spawn("backward", backward);
    JOIN(f);
    JOIN(g);
    return 0;
}
