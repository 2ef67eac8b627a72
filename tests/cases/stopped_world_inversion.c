// What a collector locks while it has stopped the others is learned, and what they lock afterwards.
#include "case.h"
#include <semaphore.h>
#include <signal.h>
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static sem_t stopped;
static volatile sig_atomic_t resumed;

static void on_resume(int number)
{
    (void)number;
    resumed = 1;
}

static void on_stop(int number)
{
    sigset_t all_but_resume;

    (void)number;
    sigfillset(&all_but_resume);
    sigdelset(&all_but_resume, SIGXCPU);
    sem_post(&stopped);
    while (!resumed)
        sigsuspend(&all_but_resume);
}

static void mutate(void)
{
    step();
    while (!resumed)
        ;
    LOCK(b);
    LOCK(a);
    UNLOCK(a);
    UNLOCK(b);
}

int main(void)
{
    struct sigaction action = {.sa_handler = on_stop};

    name_main();
    sigfillset(&action.sa_mask);
    sigaction(SIGPWR, &action, NULL);
    action.sa_handler = on_resume;
    sigaction(SIGXCPU, &action, NULL);
    sem_init(&stopped, 0, 0);
    pthread_t mutator = spawn("mutator", mutate);
    await(1);
    pthread_kill(mutator, SIGPWR);
    while (sem_wait(&stopped) != 0)
        ;
    LOCK(a);
    LOCK(b);
    UNLOCK(b);
    UNLOCK(a);
    pthread_kill(mutator, SIGXCPU);
    JOIN(mutator);
    return 0;
}
