// A semaphore that its maker took at once and waits for is an event: here a handler brings it.
#include "case.h"
#include <semaphore.h>
#include <signal.h>
#include <time.h>
static sem_t event;

static void bring(int signal)
{
    (void)signal;
    sem_post(&event);
}

int main(void)
{
    struct sigevent at_its_end = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGTERM};
    struct itimerspec soon = {.it_value = {0, 300000000}};
    timer_t timer;
    signal(SIGTERM, bring);
    sem_init(&event, 0, 1);
    (sem_trywait)(&event);
    timer_create(CLOCK_MONOTONIC, &at_its_end, &timer);
    timer_settime(timer, 0, &soon, NULL);
    while (sem_wait(&event))
        ;
    return 0;
}
