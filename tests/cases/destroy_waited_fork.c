// options: stall_after=1
// A forked child destroys a condition on which a thread of the parent slept.
#include "asleep.h"
#include <stdbool.h>
#include <sys/wait.h>
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
static pid_t tid;
static bool over;

static void waiter(void)
{
    LOCK(m);
    tid = gettid();
    step();
    while (!over)
        pthread_cond_wait(&c, &m);
    UNLOCK(m);
}

int main(void)
{
    int status;

    name_main();
    pthread_t w = spawn("waiter", waiter);
    await(1);
    LOCK(m);
    UNLOCK(m);
    await_asleep(tid);
    pid_t child = fork();
    if (child == 0) {
        pthread_cond_destroy(&c);
        return 0;
    }
    waitpid(child, &status, 0);
    printf("child %d\n", WEXITSTATUS(status));
    LOCK(m);
    over = true;
    pthread_cond_signal(&c);
    UNLOCK(m);
    JOIN(w);
    pthread_cond_destroy(&c);
    return 0;
}
