/* A program without threads confines itself, and has started another before: it ends by itself. */
// quiet
// off: the process confines itself (seccomp)
#include <linux/seccomp.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Without the library. */
static void start_another(void)
{
    char *argv[] = {"true", NULL}, *environment[] = {NULL};
    pid_t child;
    int status;

    if (posix_spawn(&child, "/bin/true", NULL, NULL, argv, environment) != 0 ||
        waitpid(child, &status, 0) < 0 || status != 0)
        abort();
}

static void confine(void)
{
    start_another();
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
    syscall(SYS_exit, 5); /* exit_group is not allowed there */
}

int main(void)
{
    int status;

    start_another();
    if (fork() == 0)
        confine();
    wait(&status);
    printf("the child: exit %d, signal %d\n", WEXITSTATUS(status), WTERMSIG(status));
    fflush(stdout);
    confine();
    return 0;
}
