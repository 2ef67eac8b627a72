/*
 * A process that clone() makes in the same memory, without thread-local memory of its own, locks
 * beside the thread that made it: what one holds the other doesn't.
 */
// quiet
#include "tell.h"
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t of_child[2] = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER};
static pthread_mutex_t of_maker[2] = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER};

static void a_then_b(void)
{
    await(3);
    LOCK(a);
    LOCK(b);
    UNLOCK(b);
    UNLOCK(a);
}

static void both(pthread_mutex_t *pair)
{
    LOCK(pair[0]);
    LOCK(pair[1]);
    UNLOCK(pair[0]);
    UNLOCK(pair[1]);
}

static void many_times(pthread_mutex_t *pair)
{
    for (int i = 0; i < 100000; i++)
        both(pair);
}

static int child(void *unused)
{
    (void)unused;
    await(1); /* the maker has b */
    LOCK(a);
    UNLOCK(a);
    step();
    many_times(of_child);
    return 42;
}

int main(void)
{
    static _Alignas(16) char stack[256 * 1024];
    int status = 0;

    pthread_t other = spawn("other", a_then_b);
    pid_t pid = clone(child, stack + sizeof(stack), CLONE_VM | SIGCHLD, NULL);
    LOCK(b);
    step();
    await(2);
    UNLOCK(b);
    step();
    many_times(of_maker);
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        return 2;
    say("the clone left with %d", WIFEXITED(status) ? WEXITSTATUS(status) : -1);
    JOIN(other);
    return 0;
}
