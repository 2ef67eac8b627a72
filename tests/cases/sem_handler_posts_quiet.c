// All units of a pool are held, and a handler brings the next one: nobody is dead.
#include "case.h"
#include <semaphore.h>
#include <signal.h>
#include <sys/time.h>
static sem_t pool;

static void bring(int signal)
{
    (void)signal;
    sem_post(&pool);
}

int main(void)
{
    struct sigaction action = {.sa_handler = bring, .sa_flags = SA_RESTART};
    struct itimerval soon = {.it_value = {0, 300000}};
    sigaction(SIGALRM, &action, NULL);
    sem_init(&pool, 0, 2);
    sem_wait(&pool);
    sem_wait(&pool);
    setitimer(ITIMER_REAL, &soon, NULL);
    while (sem_wait(&pool))
        ;
    return 0;
}
