/* Processes made without fork handlers, and in signal handlers, beside threads that learn new
 * orders all the time. */
// quiet
#include "tell.h"
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum { LOCKS = 512, TIMES = 15 };

static pthread_mutex_t locks[LOCKS];
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER, n = PTHREAD_MUTEX_INITIALIZER;
static int is_over, wrong, forked_in_handler;

/* Two at a time, the lower first: a new order mostly. */
static void take_two(unsigned a, unsigned b)
{
    a %= LOCKS / 2;
    b = LOCKS / 2 + b % (LOCKS / 2);
    LOCK(locks[a]);
    LOCK(locks[b]);
    UNLOCK(locks[b]);
    UNLOCK(locks[a]);
}

static void learn(void)
{
    for (unsigned i = 1; !__atomic_load_n(&is_over, __ATOMIC_SEQ_CST); i++)
        take_two(i * 7, i * 13 + i / 256);
}

static void use(void)
{
    LOCK(m);
    LOCK(n);
    UNLOCK(n);
    UNLOCK(m);
}

/* The other threads and what they hold stayed behind: locks of the child's own. */
static int child(void *unused)
{
    (void)unused;
    use();
    aside(use);
    _exit(7);
}

static void reap(pid_t pid)
{
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 7)
        __atomic_fetch_add(&wrong, 1, __ATOMIC_SEQ_CST);
}

static pid_t make(int way)
{
    static _Alignas(16) char stack[256 * 1024];
    pid_t pid;

    if (way == 2)
        return clone(child, stack + sizeof stack, SIGCHLD, NULL);
#if defined(SYS_fork) && __GLIBC_PREREQ(2, 34)
    pid = way == 0 ? _Fork() : (pid_t)syscall(SYS_fork);
#elif defined(SYS_fork)
    pid = (pid_t)syscall(SYS_fork);
#else
    pid = _Fork();
#endif
    if (pid == 0)
        child(NULL);
    return pid;
}

static void fork_here(int number)
{
    (void)number;
    pid_t pid = fork();
    if (pid == 0)
        _exit(7);
    reap(pid);
    __atomic_fetch_add(&forked_in_handler, 1, __ATOMIC_SEQ_CST);
}

int main(void)
{
    signal(SIGUSR1, fork_here);
    for (int i = 0; i < LOCKS; i++)
        pthread_mutex_init(&locks[i], NULL);
    pthread_t a = spawn("a", learn), b = spawn("b", learn);
    for (int way = 0; way < 3; way++) {
        for (int i = 0; i < TIMES; i++)
            reap(make(way));
        say("way %d: %d wrong", way, wrong);
    }
    for (int i = 0; i < TIMES; i++) {
        pthread_kill(a, SIGUSR1);
        while (__atomic_load_n(&forked_in_handler, __ATOMIC_SEQ_CST) <= i)
            sched_yield();
    }
    say("in a handler: %d wrong", wrong);
    __atomic_store_n(&is_over, 1, __ATOMIC_SEQ_CST);
    JOIN(a);
    JOIN(b);
    return 0;
}
