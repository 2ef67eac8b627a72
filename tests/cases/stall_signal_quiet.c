// options: stall_after=1
// A caught signal can post: not a stall.
#include "case.h"
#include <semaphore.h>
#include <signal.h>
static sem_t s;

static void on_alarm(int number)
{
    (void)number;
    sem_post(&s);
}

int main(void)
{
    struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
    sigaction(SIGALRM, &action, NULL);
    sem_init(&s, 0, 0);
    alarm(3);
    while (sem_wait(&s))
        ;
    return 0;
}
