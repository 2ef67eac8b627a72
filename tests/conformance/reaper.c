/* A process to which orphans fall (a subreaper, or the first of a namespace) sees only its own. */
#include "tell.h"
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static int child_signals;

static void on_child(int number)
{
    (void)number;
    __atomic_fetch_add(&child_signals, 1, __ATOMIC_SEQ_CST);
}

static void ab(void)
{
    LOCK(a);
    LOCK(b);
    UNLOCK(b);
    UNLOCK(a);
    step();
}

static void ba(void)
{
    await(1);
    LOCK(b);
    LOCK(a);
    UNLOCK(a);
    UNLOCK(b);
    step();
}

static void count_children(void)
{
    int status, n = 0;
    while (waitpid(-1, &status, 0) > 0)
        n++;
    say("children: %d, signals: %d, then %s", n, child_signals, strerror(errno));
}

int main(void)
{
    signal(SIGCHLD, on_child);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    pthread_t t = spawn("ab", ab), u = spawn("ba", ba);
    await(2);
    for (int i = 0; i < 1000; i++)
        sched_yield();
    JOIN(t);
    JOIN(u);
    count_children();
    if (fork() == 0)
        _exit(0);
    count_children();
    return 0;
}
