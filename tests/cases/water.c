// H2O: two of hydrogen and one of oxygen leave together, through a barrier.
#include "case.h"
#include <semaphore.h>
enum { MOLECULES = 8 };
static sem_t hydrogen, oxygen;
static pthread_mutex_t count = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t bond;
static int atoms;

static void make(sem_t *places)
{
    sem_wait(places);
    LOCK(count);
    atoms++;
    UNLOCK(count);
    pthread_barrier_wait(&bond);
    sem_post(places);
}

static void hydrogen_atoms(void)
{
    for (int i = 0; i < MOLECULES; i++)
        make(&hydrogen);
}

static void oxygen_atoms(void)
{
    for (int i = 0; i < MOLECULES; i++)
        make(&oxygen);
}

int main(void)
{
    sem_init(&hydrogen, 0, 2);
    sem_init(&oxygen, 0, 1);
    pthread_barrier_init(&bond, NULL, 3);
    pthread_t threads[] = {spawn("H", hydrogen_atoms), spawn("H", hydrogen_atoms),
                           spawn("O", oxygen_atoms)};
    for (int i = 0; i < 3; i++)
        JOIN(threads[i]);
    printf("%d\n", atoms);
    return 0;
}
