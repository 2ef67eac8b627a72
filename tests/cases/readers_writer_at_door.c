// The writer has the room and asks for the door; the first reader stands in the door and waits for
// the room.
#include "case.h"
#include <semaphore.h>
static sem_t room;
static pthread_mutex_t door = PTHREAD_MUTEX_INITIALIZER;
static int readers;

static void writer(void)
{
    sem_wait(&room);
    step();
    await(2);
    LOCK(door);
    UNLOCK(door);
    sem_post(&room);
}

static void reader(void)
{
    await(1);
    (pthread_mutex_lock)(&door);
    step();
    if (++readers == 1)
        (sem_wait)(&room);
    UNLOCK(door);
}

int main(void)
{
    name_main();
    sem_init(&room, 0, 1);
    pthread_t w = spawn("writer", writer), r = spawn("reader", reader);
    JOIN(w);
    JOIN(r);
    return 0;
}
