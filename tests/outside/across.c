/*
 * Processes that share locks, and wait for each other. Prints "ready PID" when they are made; they
 * may still be on their way into the wait. What is read from standard input lets those go that can.
 *
 *   across died               a child was killed with a shared mutex in hand, the parent asks for
 * it across died-awake         the same, and a sibling that has the memory is awake, and lets go
 *   across died-robust        the same with a robust mutex: the parent gets it
 *   across lives              the child holds the mutex and lives, until it is let go
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

struct shared {
    pthread_mutex_t mutexes[2];
};
static struct shared *shared;

static void wait_until_let_go(void)
{
    char byte;
    while (read(STDIN_FILENO, &byte, 1) > 0)
        continue;
}

static void share(bool is_robust)
{
    pthread_mutexattr_t attributes;
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    if (is_robust)
        pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    for (int i = 0; i < 2; i++)
        pthread_mutex_init(&shared->mutexes[i], &attributes);
}

static void say_ready(void)
{
    printf("ready %d\n", (int)getpid());
    fflush(stdout);
}

static int finish(void)
{
    puts("done");
    return 0;
}

/* Returns in the parent, once the child has the mutex; in the child never. */
static void let_child_take(bool dies)
{
    int has_it[2];
    char byte;
    if (pipe(has_it))
        exit(2);
    pid_t child = fork();
    if (!child) {
        pthread_mutex_lock(&shared->mutexes[0]);
        if (dies)
            raise(SIGKILL);
        close(has_it[1]);
        close(has_it[0]);
        wait_until_let_go();
        pthread_mutex_unlock(&shared->mutexes[0]);
        _exit(0);
    }
    close(has_it[1]);
    while (read(has_it[0], &byte, 1) > 0)
        continue;
    if (dies)
        waitpid(child, NULL, 0);
}

/* What a supervisor does: another holds it no more, so that this one lets go. */
static void let_sibling_watch(void)
{
    if (fork())
        return;
    wait_until_let_go();
    pthread_mutex_unlock(&shared->mutexes[0]);
    _exit(0);
}

int main(int argc, char **argv)
{
    const char *way = argc > 1 ? argv[1] : "";
    share(!strcmp(way, "died-robust"));
    let_child_take(strncmp(way, "died", 4) == 0);
    if (!strcmp(way, "died-awake"))
        let_sibling_watch();
    say_ready();
    if (pthread_mutex_lock(&shared->mutexes[0]) == EOWNERDEAD)
        pthread_mutex_consistent(&shared->mutexes[0]);
    pthread_mutex_unlock(&shared->mutexes[0]);
    return finish();
}
