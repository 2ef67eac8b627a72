// options: stall_after=1
// A condition may be destroyed right after the broadcast that all its waiters got, and when its
// waiter was cancelled; by a forked child when it has made the condition anew.
#include "asleep.h"
#include <stdbool.h>
#include <sys/wait.h>
enum { ROUNDS = 300, WAITERS = 3 };
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
static int inside;
static bool over;

static void *waiter(void *arg)
{
    LOCK(m);
    inside++;
    while (!over)
        pthread_cond_wait(&c, &m);
    UNLOCK(m);
    return arg;
}

static void unlock(void *arg)
{
    UNLOCK(m);
    (void)arg;
}

static void *cancelled(void *arg)
{
    LOCK(m);
    inside++;
    pthread_cleanup_push(unlock, NULL);
    for (;;)
        pthread_cond_wait(&c, &m);
    pthread_cleanup_pop(1);
    return arg;
}

static void await_inside(int n)
{
    for (bool all = false; !all; sched_yield()) {
        LOCK(m);
        all = inside == n;
        UNLOCK(m);
    }
}

static void broadcasts(void)
{
    pthread_t threads[WAITERS];

    pthread_cond_init(&c, NULL);
    inside = 0;
    over = false;
    for (int i = 0; i < WAITERS; i++)
        pthread_create(&threads[i], NULL, waiter, NULL);
    await_inside(WAITERS);
    LOCK(m);
    over = true;
    pthread_cond_broadcast(&c);
    UNLOCK(m);
    pthread_cond_destroy(&c);
    for (int i = 0; i < WAITERS; i++)
        JOIN(threads[i]);
}

static void cancels(void)
{
    pthread_t thread;

    pthread_cond_init(&c, NULL);
    inside = 0;
    pthread_create(&thread, NULL, cancelled, NULL);
    await_inside(1);
    pthread_cancel(thread);
    pthread_cond_destroy(&c);
    JOIN(thread);
}

static void in_child(void)
{
    pthread_cond_init(&c, NULL);
    broadcasts();
    pthread_cond_init(&c, NULL);
    _exit(0);
}

static void forks(void)
{
    pthread_t thread;
    int status;

    pthread_cond_init(&c, NULL);
    inside = 0;
    over = false;
    pthread_create(&thread, NULL, waiter, NULL);
    await_inside(1);
    pid_t child = fork();
    if (child == 0)
        in_child();
    waitpid(child, &status, 0);
    printf("child %d\n", status);
    LOCK(m);
    over = true;
    pthread_cond_broadcast(&c);
    UNLOCK(m);
    JOIN(thread);
}

int main(void)
{
    name_main();
    for (int i = 0; i < ROUNDS; i++) {
        broadcasts();
        cancels();
    }
    forks();
    return 0;
}
