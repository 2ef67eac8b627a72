// The same with a switch a sex, over one semaphore: whoever leaves last posts what the first took.
#include "case.h"
#include <semaphore.h>
static pthread_mutex_t men = PTHREAD_MUTEX_INITIALIZER, women = PTHREAD_MUTEX_INITIALIZER;
static sem_t empty;
static int n_men, n_women;

static void enter(pthread_mutex_t *door, int *n)
{
    LOCK(*door);
    if (++*n == 1)
        sem_wait(&empty);
    UNLOCK(*door);
}

static void leave(pthread_mutex_t *door, int *n)
{
    LOCK(*door);
    if (--*n == 0)
        sem_post(&empty);
    UNLOCK(*door);
}

static void Adam(void)
{
    enter(&men, &n_men);
    step();
    await(2);
}

static void Noah(void)
{
    await(1);
    enter(&men, &n_men);
    step();
    await(3);
    leave(&men, &n_men);
    leave(&men, &n_men);
}

static void Eve(void)
{
    await(2);
    step();
    enter(&women, &n_women);
    leave(&women, &n_women);
}

int main(void)
{
    sem_init(&empty, 0, 1);
    pthread_t a = spawn("Adam", Adam), n = spawn("Noah", Noah), e = spawn("Eve", Eve);
    JOIN(a);
    JOIN(n);
    JOIN(e);
    return 0;
}
