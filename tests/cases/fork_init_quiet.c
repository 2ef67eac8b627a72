// A child's handler may initialise the locks that the parent's held: no misuse.
#include "case.h"
#include <sys/wait.h>
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;

static void prepare(void)
{
    LOCK(a);
    LOCK(b);
}

static void parent(void)
{
    UNLOCK(b);
    UNLOCK(a);
}

static void child(void)
{
    pthread_mutex_destroy(&a);
    pthread_mutex_init(&a, NULL);
    pthread_mutex_init(&b, NULL);
}

int main(void)
{
    int status;
    pthread_atfork(prepare, parent, child);
    pid_t pid = fork();
    LOCK(a);
    LOCK(b);
    UNLOCK(b);
    UNLOCK(a);
    if (pid == 0)
        _exit(7);
    waitpid(pid, &status, 0);
    printf("child: %d\n", WEXITSTATUS(status));
    return 0;
}
