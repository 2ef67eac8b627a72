/* A program with a __register_atfork of its own, which runs what is registered there by hand round
 * clone() and fork(), as Firefox does; in threads that have run their last destructor, too. */
// quiet
#include "tell.h"
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>

typedef void handler(void);
int __register_atfork(handler *before, handler *parent, handler *child, void *library);

static struct {
    handler *before, *parent, *child;
} handlers[32];
static int n;

int __register_atfork(handler *before, handler *parent, handler *child, void *library)
{
    (void)library;
    handlers[n].before = before;
    handlers[n].parent = parent;
    handlers[n].child = child;
    n++;
    return 0;
}

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER, o = PTHREAD_MUTEX_INITIALIZER;

static void before(void)
{
    LOCK(m);
}

static void after(void)
{
    UNLOCK(m);
}

static void use(void)
{
    LOCK(m);
    LOCK(o);
    UNLOCK(o);
    UNLOCK(m);
}

static void run_before(void)
{
    for (int i = n; i-- > 0;)
        if (handlers[i].before)
            handlers[i].before();
}

static void run_in_parent(void)
{
    for (int i = 0; i < n; i++)
        if (handlers[i].parent)
            handlers[i].parent();
}

static int child(void *unused)
{
    (void)unused;
    for (int i = 0; i < n; i++)
        if (handlers[i].child)
            handlers[i].child();
    use();
    aside(use);
    _exit(7);
}

static void reap(const char *how, pid_t pid)
{
    int status = 0;

    waitpid(pid, &status, 0);
    say("%s: %s %d", how, WIFEXITED(status) ? "exit" : "signal",
        WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
}

static void launch(void)
{
    static _Alignas(16) char stack[256 * 1024];

    run_before();
    pid_t pid = clone(child, stack + sizeof stack, SIGCHLD, NULL);
    run_in_parent();
    reap("clone", pid);
    run_before();
    pid = fork();
    if (pid == 0)
        child(NULL);
    run_in_parent();
    reap("fork", pid);
    use();
}

/* The last of the rounds in which a thread's destructors are run. */
static pthread_key_t key;
static void at_end(void *round)
{
    if ((long)round < 4)
        pthread_setspecific(key, (void *)((long)round + 1));
    else
        launch();
}

static void ends(void)
{
    pthread_setspecific(key, (void *)1);
}

int main(void)
{
    pthread_atfork(before, after, after);
    say("registered: %d", n >= 1);
    launch();
    aside(launch);
    pthread_key_create(&key, at_end);
    aside(ends);
    return 0;
}
