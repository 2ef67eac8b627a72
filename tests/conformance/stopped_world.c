/* A collector stops a thread by a signal, wherever that is, and goes on taking locks, forking and
 * making threads meanwhile, as those of Guile, D and SBCL do. */
// quiet
#include "tell.h"
#include <semaphore.h>
#include <signal.h>
#include <sys/wait.h>

enum { ROUNDS = 1500, DEEP = 23 };

static sem_t stopped;
static volatile sig_atomic_t resumed;
static int over, mutations;

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
    resumed = 0;
    sem_post(&stopped);
    do
        sigsuspend(&all_but_resume);
    while (!resumed);
    sem_post(&stopped);
}

/* Two locks that are new, one under the other, asked for with another stack each time. */
static __attribute__((noinline)) void order(int deep)
{
    if (deep > 0) {
        order(deep - 1);
        __asm__ volatile("");
        return;
    }
    pthread_mutex_t outer, inner;
    pthread_mutex_init(&outer, NULL);
    pthread_mutex_init(&inner, NULL);
    LOCK(outer);
    LOCK(inner);
    UNLOCK(inner);
    UNLOCK(outer);
    pthread_mutex_destroy(&outer);
    pthread_mutex_destroy(&inner);
}

static void nothing(void)
{
}

static void mutate(void)
{
    for (int i = 0; !__atomic_load_n(&over, __ATOMIC_SEQ_CST); i++) {
        order(i % DEEP);
        __atomic_fetch_add(&mutations, 1, __ATOMIC_SEQ_CST);
        if (i % 16 == 0)
            JOIN(spawn("short", nothing));
    }
}

static void fork_meanwhile(void)
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        order(1);
        _exit(5);
    }
    waitpid(child, &status, 0);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 5)
        say("the child ended wrongly: %d", status);
}

static void stop(pthread_t t)
{
    pthread_kill(t, SIGPWR);
    while (sem_wait(&stopped) != 0)
        ;
}

static void resume(pthread_t t)
{
    pthread_kill(t, SIGXCPU);
    while (sem_wait(&stopped) != 0)
        ;
}

int main(void)
{
    struct sigaction action = {.sa_handler = on_stop};

    sigfillset(&action.sa_mask);
    sigaction(SIGPWR, &action, NULL);
    action.sa_handler = on_resume;
    sigaction(SIGXCPU, &action, NULL);
    sem_init(&stopped, 0, 0);
    pthread_t t = spawn("mutator", mutate);
    for (int i = 0; i < ROUNDS; i++) {
        stop(t);
        order(i % (DEEP - 2));
        if (i % 64 == 0)
            fork_meanwhile();
        int seen = __atomic_load_n(&mutations, __ATOMIC_SEQ_CST);
        resume(t);
        while (__atomic_load_n(&mutations, __ATOMIC_SEQ_CST) == seen)
            sched_yield();
    }
    __atomic_store_n(&over, 1, __ATOMIC_SEQ_CST);
    TELL(JOIN(t));
    return 0;
}
