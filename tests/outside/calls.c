/*
 * One thread in each system call that returns EINTR when somebody stops it, and one in a timed
 * futex wait. Says which were disturbed; "done" when none was. Ends when its input ends.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

static int ends[2];
static sem_t slots;
static atomic_int disturbed;

static void report(const char *name, long result)
{
    if (result >= 0 || errno != EINTR)
        return;
    printf("disturbed: %s\n", name);
    atomic_fetch_add(&disturbed, 1);
}

static void *in_epoll(void *unused)
{
    (void)unused;
    struct epoll_event event = {.events = EPOLLIN};
    int set = epoll_create1(0);
    epoll_ctl(set, EPOLL_CTL_ADD, ends[0], &event);
    report("epoll_wait", epoll_wait(set, &event, 1, -1));
    return NULL;
}

static void *in_poll(void *unused)
{
    (void)unused;
    struct pollfd end = {.fd = ends[0], .events = POLLIN};
    report("poll", poll(&end, 1, -1));
    return NULL;
}

static void *in_sigtimedwait(void *unused)
{
    (void)unused;
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    report("sigtimedwait", sigwaitinfo(&set, NULL));
    return NULL;
}

static void *in_sem_timedwait(void *unused)
{
    (void)unused;
    struct timespec end;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += 3600;
    report("sem_timedwait", sem_timedwait(&slots, &end));
    return NULL;
}

int main(void)
{
    static void *(*const routines[])(void *) = {in_epoll, in_poll, in_sigtimedwait,
                                                in_sem_timedwait};
    enum { N = sizeof routines / sizeof *routines };
    pthread_t threads[N];
    sigset_t set;
    char byte;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    sem_init(&slots, 0, 0);
    if (pipe(ends))
        return 3;
    for (int i = 0; i < N; i++)
        pthread_create(&threads[i], NULL, routines[i], NULL);
    printf("ready %d\n", (int)getpid());
    fflush(stdout);
    while (read(0, &byte, 1) > 0)
        continue;
    if (write(ends[1], "x", 1) != 1)
        return 4;
    kill(getpid(), SIGUSR1);
    sem_post(&slots);
    for (int i = 0; i < N; i++)
        pthread_join(threads[i], NULL);
    puts(atomic_load(&disturbed) ? "disturbed" : "done");
    return 0;
}
