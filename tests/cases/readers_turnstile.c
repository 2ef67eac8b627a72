// Readers and writers who are not overtaken: all pass a turnstile, writers keep it while they wait.
// The room is posted by whoever leaves last, and so is no lock of anybody.
#include "case.h"
#include <semaphore.h>
static sem_t turnstile, room;
static pthread_mutex_t door = PTHREAD_MUTEX_INITIALIZER;
static int readers;

static void enter(void)
{
    sem_wait(&turnstile);
    sem_post(&turnstile);
    LOCK(door);
    if (++readers == 1)
        sem_wait(&room);
    UNLOCK(door);
}

static void leave(void)
{
    LOCK(door);
    if (--readers == 0)
        sem_post(&room);
    UNLOCK(door);
}

static void first(void)
{
    enter();
    step();
    await(2);
}

static void second(void)
{
    await(1);
    enter();
    step();
    await(3);
    leave(); /* for the first, who is through as well */
    leave();
}

static void writer(void)
{
    await(2);
    sem_wait(&turnstile);
    step();
    sem_wait(&room);
    sem_post(&room);
    sem_post(&turnstile);
}

int main(void)
{
    sem_init(&turnstile, 0, 1);
    sem_init(&room, 0, 1);
    pthread_t a = spawn("first", first), b = spawn("second", second), w = spawn("writer", writer);
    JOIN(a);
    JOIN(b);
    JOIN(w);
    return 0;
}
