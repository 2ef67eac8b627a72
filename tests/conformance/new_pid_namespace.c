/* After unshare(CLONE_NEWPID) the program's next child is the first process of a new namespace. */
// finds
#include "tell.h"
#include <sched.h>
#include <sys/wait.h>

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;

static void ab(void)
{
    LOCK(a);
    LOCK(b);
    UNLOCK(b);
    UNLOCK(a);
    step();
    await(2);
}

int main(void)
{
    int status = 0;
    pthread_t t = spawn("ab", ab);
    await(1);
    TELL(unshare(CLONE_NEWPID)); /* fails where that is not allowed */
    LOCK(b);
    LOCK(a); /* found here: a report is to be made */
    UNLOCK(a);
    UNLOCK(b);
    pid_t pid = fork();
    if (pid == 0)
        _exit(getpid() == 1);
    say("forked: %d", pid > 0);
    waitpid(pid, &status, 0);
    say("the first of its namespace: %d", WEXITSTATUS(status));
    step();
    JOIN(t);
    return 0;
}
