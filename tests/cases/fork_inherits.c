// The child waits for a lock that another thread of its parent holds: that thread is not there.
#include "case.h"
#include <sys/wait.h>
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;

static void holder(void)
{
    LOCK(a);
    step();
    await(2);
    UNLOCK(a);
}

static void child(void)
{
    name_main();
    alarm(60); // natively it would stay for ever
    pthread_mutex_lock(&a);
}

int main(void)
{
    int status;
    pthread_t t = spawn("holder", holder);
    await(1);
    pid_t pid = fork();
    if (pid == 0) {
        child();
        _exit(1);
    }
    waitpid(pid, &status, 0);
    printf("child: %d\n", WEXITSTATUS(status));
    step();
    JOIN(t);
    return 0;
}
