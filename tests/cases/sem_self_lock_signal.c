// Posted by its taker before, a semaphore is a lock, also while a signal is caught.
#include "case.h"
#include <semaphore.h>
#include <signal.h>
static sem_t s;

static void nothing(int signal)
{
    (void)signal;
}

int main(void)
{
    name_main();
    signal(SIGTERM, nothing);
    sem_init(&s, 0, 1);
    sem_wait(&s);
    sem_post(&s);
    (sem_wait)(&s);
    sem_wait(&s);
    return 0;
}
