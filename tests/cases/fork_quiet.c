// Handlers that take all locks before the fork and give them back on both sides.
#include "case.h"
#include <sys/wait.h>
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;

static void take_both(void)
{
    LOCK(a);
    LOCK(b);
}

static void give_both(void)
{
    UNLOCK(b);
    UNLOCK(a);
}

static void worker(void)
{
    while (__atomic_load_n(&steps, __ATOMIC_SEQ_CST) < 1) {
        take_both();
        give_both();
    }
}

int main(void)
{
    int status, failed = 0;
    pthread_atfork(take_both, give_both, give_both);
    pthread_t t = spawn("worker", worker);
    for (int i = 0; i < 10; i++) {
        pid_t pid = fork();
        take_both();
        give_both();
        if (pid == 0)
            _exit(0);
        waitpid(pid, &status, 0);
        failed |= status;
    }
    step();
    JOIN(t);
    return failed;
}
