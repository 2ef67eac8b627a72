// Taken once and waited for again, while a signal is caught: nobody has posted it yet, so it may be
// what the handler brings. (Twin of sem_self and of sem_self_lock_signal.)
#include "case.h"
#include <semaphore.h>
#include <signal.h>
#include <time.h>
static sem_t s;

static void bring(int signal)
{
    (void)signal;
    sem_post(&s);
}

int main(void)
{
    struct sigevent at_its_end = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGTERM};
    struct itimerspec soon = {.it_value = {0, 300000000}};
    timer_t timer;
    signal(SIGTERM, bring);
    sem_init(&s, 0, 1);
    (sem_wait)(&s);
    timer_create(CLOCK_MONOTONIC, &at_its_end, &timer);
    timer_settime(timer, 0, &soon, NULL);
    while (sem_wait(&s))
        ;
    return 0;
}
