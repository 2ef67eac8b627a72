// A thread that a signal handler takes out of a wait by longjmp is watched as before.
#include "asleep.h"
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static sem_t never;
static sigjmp_buf back;
static pid_t waiter;

static void jump(int number)
{
    siglongjmp(back, number);
}

static void wait_in_vain(void)
{
    if (sigsetjmp(back, 1) == 0)
        sem_wait(&never);
}

static void forward(void)
{
    waiter = (pid_t)syscall(SYS_gettid);
    step();
    wait_in_vain();
    LOCK(a);
    LOCK(b);
    UNLOCK(b);
    UNLOCK(a);
    step();
    pthread_exit(NULL);
}

static void backward(void)
{
    await(2);
    LOCK(b);
    LOCK(a);
    UNLOCK(a);
    UNLOCK(b);
}

int main(void)
{
    signal(SIGUSR1, jump);
    sem_init(&never, 0, 0);
    pthread_t f = spawn("forward", forward), g = spawn("backward", backward);
    await(1);
    await_asleep(waiter);
    pthread_kill(f, SIGUSR1);
    JOIN(f);
    JOIN(g);
    return 0;
}
