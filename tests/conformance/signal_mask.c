/* The signal mask of a thread is its own, whatever the library blocks while it is inside: after
 * locks, in a new thread, in a forked child, in a program that is started, and in a handler. */
// quiet
#include "tell.h"
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;

/* The kernel's, with the two signals that libc keeps to itself. */
static void say_mask(const char *who)
{
    uint64_t mask = 0;

    syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &mask, 8);
    say("%s: %llx", who, (unsigned long long)mask);
}

static void order(void)
{
    LOCK(a);
    LOCK(b);
    pthread_cond_timedwait(&c, &b, &past);
    UNLOCK(b);
    UNLOCK(a);
}

static void handle(int number)
{
    int kept = errno;

    (void)number;
    say_mask("handler");
    order();
    say_mask("handler, after locks");
    errno = kept;
}

static void play(void)
{
    say_mask("thread");
    order();
    say_mask("thread, after locks");
    raise(SIGHUP);
}

static void wait_for(pid_t child)
{
    int status;

    waitpid(child, &status, 0);
    say("ended: %d", WEXITSTATUS(status));
}

static void fork_it(void)
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        say_mask("child");
        order();
        say_mask("child, after locks");
        _exit(4);
    }
    wait_for(child);
}

static void start_it(void)
{
    char *arguments[] = {"grep", "SigBlk", "/proc/self/status", NULL};
    pid_t child;

    fflush(stdout);
    int result = posix_spawnp(&child, "grep", NULL, NULL, arguments, environ);
    wait_for(child);
    say("spawned: %d", result);
    child = vfork();
    if (child == 0) {
        execvp("grep", arguments);
        _exit(5);
    }
    wait_for(child);
}

int main(void)
{
    struct sigaction action = {.sa_handler = handle};
    sigset_t blocked;

    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR2);
    sigaction(SIGHUP, &action, NULL);
    TELL(pthread_sigmask(SIG_BLOCK, &blocked, NULL));
    say_mask("main");
    order();
    say_mask("main, after locks");
    JOIN(spawn("thread", play));
    say_mask("main, after a join");
    fork_it();
    start_it();
    raise(SIGHUP);
    say_mask("main, at the end");
    return 0;
}
