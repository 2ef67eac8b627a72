// A signal handler that locks comes to each thread before its function, as it starts with the
// signal pending: the deadlock is seen all the same.
#include "case.h"
#include <signal.h>
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER,
                       handled = PTHREAD_MUTEX_INITIALIZER;

static void handler(int number)
{
    (void)number;
    LOCK(handled);
    UNLOCK(handled);
}

static pthread_t spawn_interrupted(const char *name, void (*play)(void))
{
    struct role *role = (struct role *)malloc(sizeof *role);
    pthread_attr_t attr;
    pthread_t thread;
    role->name = name;
    role->play = play;
    pthread_attr_init(&attr);
#if __GLIBC_PREREQ(2, 32)
    sigset_t none;
    sigemptyset(&none);
    pthread_attr_setsigmask_np(&attr, &none);
#endif
    kill(getpid(), SIGUSR1);
    pthread_create(&thread, &attr, play_role, role);
    return thread;
}

static void left(void)
{
    LOCK(a);
    step();
    await(2);
    LOCK(b);
}

static void right(void)
{
    LOCK(b);
    step();
    await(2);
    LOCK(a);
}

int main(void)
{
    sigset_t blocked;
    signal(SIGUSR1, handler);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &blocked, NULL);
    pthread_t l = spawn_interrupted("left", left), r = spawn_interrupted("right", right);
    JOIN(l);
    JOIN(r);
    return 0;
}
