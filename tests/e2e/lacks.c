/*
 * lacks SITUATION [stall|inversion]: gives up root, goes into another pid namespace, or into a root
 * without /proc, has no timers, or (none) does nothing of it; then two threads work, and end, wait
 * without limit, or take two locks in two orders.
 */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static int stalls, inverts;
static _Atomic int is_first_done;

static void both(pthread_mutex_t *outer, pthread_mutex_t *inner)
{
    pthread_mutex_lock(outer);
    pthread_mutex_lock(inner);
    pthread_mutex_unlock(inner);
    pthread_mutex_unlock(outer);
}

static void *work(void *is_second)
{
    if (inverts && !is_second) {
        both(&a, &b);
        is_first_done = 1;
    } else if (inverts) {
        while (!is_first_done)
            sched_yield();
        both(&b, &a);
    }
    pthread_mutex_lock(&m);
    while (stalls)
        pthread_cond_wait(&c, &m);
    pthread_mutex_unlock(&m);
    return NULL;
}

static void must(int result)
{
    if (result != 0) {
        perror("lacks");
        exit(77);
    }
}

static void enter(const char *situation)
{
    enum { NOBODY = 65534 };

    if (strcmp(situation, "drop") == 0) {
        must(setgid(NOBODY));
        must(setuid(NOBODY));
    } else if (strcmp(situation, "bare") == 0) {
        must(chroot("/usr"));
    } else if (strcmp(situation, "hide") == 0) { /* what lies in /tmp */
        must(unshare(CLONE_NEWNS));
        must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
        must(mount("none", "/tmp", "tmpfs", 0, NULL));
    } else if (strcmp(situation, "timers") == 0) {
        struct rlimit none = {0, 0};
        must(setrlimit(RLIMIT_SIGPENDING, &none));
    } else if (strcmp(situation, "namespace") == 0) {
        must(unshare(CLONE_NEWPID));
        pid_t child = fork();
        if (child != 0) {
            int status = 0;
            waitpid(child, &status, 0);
            _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
        }
        prctl(PR_SET_PDEATHSIG, SIGKILL);
    }
}

int main(int argc, char **argv)
{
    pthread_t threads[2];

    enter(argc > 1 ? argv[1] : "none");
    stalls = argc > 2 && strcmp(argv[2], "stall") == 0;
    inverts = argc > 2 && strcmp(argv[2], "inversion") == 0;
    for (int i = 0; i < 2; i++)
        must(pthread_create(&threads[i], NULL, work, i ? threads : NULL));
    for (int i = 0; i < 2; i++)
        must(pthread_join(threads[i], NULL));
    puts("done");
    return 0;
}
