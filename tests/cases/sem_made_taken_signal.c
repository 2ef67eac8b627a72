// One of the two was made taken, and a signal is caught whose handler may bring it: possible, and
// no reason to end the program. Here the handler ends it.
#include "case.h"
#include <semaphore.h>
#include <signal.h>
#include <sys/time.h>
static sem_t a;
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;

static void leave(int signal)
{
    (void)signal;
    _exit(3);
}

static void left(void)
{
    sem_init(&a, 0, 1);
    (sem_trywait)(&a);
    step();
    await(2);
    LOCK(m);
}

static void right(void)
{
    await(1);
    (pthread_mutex_lock)(&m);
    step();
    sem_wait(&a);
}

int main(void)
{
    struct itimerval later = {.it_value = {3, 0}};
    signal(SIGALRM, leave);
    setitimer(ITIMER_REAL, &later, NULL);
    pthread_t l = spawn("left", left), r = spawn("right", right);
    JOIN(l);
    JOIN(r);
    return 0;
}
