// The first reader takes the room for all, the last one gives it back, and a count under the door
// keeps their steps apart. Here they happen not to meet, so that each posts what it took itself.
#include "case.h"
#include <semaphore.h>
static pthread_mutex_t door = PTHREAD_MUTEX_INITIALIZER;
static sem_t room;
static int readers;

static void reads(void)
{
    (pthread_mutex_lock)(&door);
    if (++readers == 1)
        sem_wait(&room);
    UNLOCK(door);
    LOCK(door);
    if (--readers == 0)
        sem_post(&room);
    UNLOCK(door);
}

static void first(void)
{
    reads();
    step();
}

static void second(void)
{
    await(1);
    reads();
}

int main(void)
{
    sem_init(&room, 0, 1);
    pthread_t a = spawn("first", first), b = spawn("second", second);
    JOIN(a);
    JOIN(b);
    return 0;
}
