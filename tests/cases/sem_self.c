// A semaphore that is a lock, taken twice by one thread. Nothing could post it.
#include "case.h"
#include <semaphore.h>
static sem_t s;

int main(void)
{
    name_main();
    sem_init(&s, 0, 1);
    (sem_wait)(&s);
    sem_wait(&s);
    return 0;
}
