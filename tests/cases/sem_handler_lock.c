// Semaphores as locks in both orders; a signal handler of the program, on the thread's stack and on
// one of its own, was the first to take each and to post it. That makes no event of them.
#include "case.h"
#include <semaphore.h>
#include <signal.h>
static sem_t a, b;

static void use_a(int signal)
{
    (void)signal;
    sem_wait(&a);
    sem_post(&a);
}

static void use_b(int signal)
{
    (void)signal;
    sem_wait(&b);
    sem_post(&b);
}

static void forward(void)
{
    sem_wait(&a);
    sem_wait(&b);
    sem_post(&b);
    sem_post(&a);
    step();
}

static void backward(void)
{
    await(1);
    sem_wait(&b);
    sem_wait(&a);
    sem_post(&a);
    sem_post(&b);
}

int main(void)
{
    static char space[1 << 16];
    stack_t elsewhere = {.ss_sp = space, .ss_size = sizeof space};
    struct sigaction here = {.sa_handler = use_a},
                     there = {.sa_handler = use_b, .sa_flags = SA_ONSTACK};
    sigaltstack(&elsewhere, NULL);
    sigaction(SIGUSR1, &here, NULL);
    sigaction(SIGUSR2, &there, NULL);
    sem_init(&a, 0, 1);
    sem_init(&b, 0, 1);
    raise(SIGUSR1);
    raise(SIGUSR2);
    pthread_t f = spawn("forward", forward), g = spawn("backward", backward);
    JOIN(f);
    JOIN(g);
    return 0;
}
