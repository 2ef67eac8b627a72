// The room is destroyed and another stands at its place, made by a third thread: that one is taken
// for all readers too, by the same threads as before, and is no lock either.
#include "case.h"
#include <semaphore.h>
static pthread_mutex_t door = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t next_door = PTHREAD_MUTEX_INITIALIZER;
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

static void reads_again(void)
{
    (pthread_mutex_lock)(&next_door);
    if (++readers == 1)
        sem_wait(&room);
    UNLOCK(next_door);
    LOCK(next_door);
    if (--readers == 0)
        sem_post(&room);
    UNLOCK(next_door);
}

static void first(void)
{
    reads();
    step();
    await(3);
    reads_again();
    step();
}

static void second(void)
{
    await(1);
    reads();
    step();
    await(4);
    reads_again();
}

int main(void)
{
    sem_init(&room, 0, 1);
    pthread_t a = spawn("first", first), b = spawn("second", second);
    await(2);
    sem_destroy(&room);
    sem_init(&room, 0, 1);
    step();
    JOIN(a);
    JOIN(b);
    return 0;
}
