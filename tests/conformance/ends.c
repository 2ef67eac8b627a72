/* The ways a process ends: atexit handlers and destructors that lock, quick_exit, a thread's exit.
 */
// quiet
#include "tell.h"
#include <signal.h>
#include <sys/wait.h>

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER, n = PTHREAD_MUTEX_INITIALIZER;

static void locks(const char *where)
{
    TELL(pthread_mutex_lock(&m));
    TELL(pthread_mutex_lock(&n));
    say("in %s", where);
    TELL(pthread_mutex_unlock(&n));
    TELL(pthread_mutex_unlock(&m));
}

static void at_exit(void)
{
    locks("atexit");
}

static void at_quick_exit_(void)
{
    locks("at_quick_exit");
}

static __attribute__((destructor)) void destructor(void)
{
    locks("destructor");
}

static void exit_here(void)
{
    exit(21);
}

static void joined_by_main(void)
{
    exit_here();
}

static void end(int way)
{
    switch (way) {
    case 0:
        exit(20);
    case 1:
        JOIN(spawn("exits", joined_by_main));
        break;
    case 2:
        _exit(22);
    case 3:
        quick_exit(23);
    case 4:
        LOCK(m); /* ends holding it: a process's end is no thread's end */
        _exit(24);
    case 5:
        signal(SIGTERM, SIG_DFL);
        raise(SIGTERM);
        break;
    case 6:
        printf("not flushed by us, but by exit");
        exit(26);
    case 7:
        printf("never flushed");
        _exit(27);
    case 8:
        spawn("exits", exit_here);
        pthread_exit(NULL);
    default:
        abort();
    }
}

int main(void)
{
    atexit(at_exit);
    at_quick_exit(at_quick_exit_);
    for (int way = 0; way < 10; way++) {
        int status;
        pid_t pid = fork();
        if (pid == 0)
            end(way);
        waitpid(pid, &status, 0);
        say("\nway %d: %s %d", way, WIFEXITED(status) ? "exit" : "signal",
            WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
    }
    return 42;
}
