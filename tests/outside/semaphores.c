/*
 * Two processes, and semaphores that they share: each takes its own, waits until both have theirs,
 * and asks for the other's. Prints "ready PID" when they are made; what is read from standard input
 * lets those go that can.
 *
 *   semaphores memory      in shared memory, sem_init with one unit
 *   semaphores named       by sem_open
 *   semaphores mixed       one of them is a mutex
 *   semaphores many        they are the last of some hundred that each process uses
 *   semaphores children    both are children, and their parent waits for any
 *   semaphores threads     each process has a thread more, which waits for a third semaphore
 *   semaphores unmade      the process that made them has ended
 *   semaphores unwatched   a process without LD_PRELOAD has the memory too, and sleeps
 *   semaphores awake       a third process is awake; it posts one when it is let go
 *   semaphores signals     no locks: made with no unit, and posted by a third one when it is let go
 *   semaphores used        made with no unit, posted by each before it waits for it: no locks
 * either semaphores timed       the second one is waited for with a limit of an hour
 */
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MANY = 500 };
struct shared {
    sem_t many[MANY], own[2], never;
    pthread_mutex_t mutex;
    pthread_barrier_t all_hold;
};
static struct shared *shared;
static sem_t *own[2];
static const char *way;

static bool is_way(const char *name)
{
    return !strcmp(way, name);
}

static void map(int file)
{
    int flags = MAP_SHARED | (file < 0 ? MAP_ANONYMOUS : 0);
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, flags, file, 0);
    if (shared == MAP_FAILED)
        exit(2);
}

static void make_others(void)
{
    pthread_mutexattr_t mutex;
    pthread_barrierattr_t barrier;
    sem_init(&shared->never, 1, 0);
    pthread_mutexattr_init(&mutex);
    pthread_mutexattr_setpshared(&mutex, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(&shared->mutex, &mutex);
    pthread_barrierattr_init(&barrier);
    pthread_barrierattr_setpshared(&barrier, PTHREAD_PROCESS_SHARED);
    pthread_barrier_init(&shared->all_hold, &barrier, is_way("unwatched") ? 3 : 2);
}

/* Each is taken and posted as a lock is. */
static void use_many(void)
{
    for (int i = 0; i < MANY; i++) {
        sem_wait(&shared->many[i]);
        sem_post(&shared->many[i]);
    }
}

static void make(void)
{
    unsigned units = !is_way("signals") && !is_way("used");
    for (int i = 0; i < MANY; i++)
        sem_init(&shared->many[i], 1, 1);
    for (int i = 0; i < 2; i++) {
        char name[64];
        snprintf(name, sizeof name, "/semaphores-%d-%d", (int)getpid(), i);
        own[i] = is_way("named") ? sem_open(name, O_CREAT | O_EXCL, 0600, units) : &shared->own[i];
        if (is_way("named"))
            sem_unlink(name);
        else
            sem_init(own[i], 1, units);
    }
}

static void make_elsewhere(void)
{
    pid_t maker = fork();
    if (!maker) {
        make();
        _exit(0);
    }
    waitpid(maker, NULL, 0);
    for (int i = 0; i < 2; i++)
        own[i] = &shared->own[i];
}

static bool is_mutex(int which)
{
    return which == 1 && is_way("mixed");
}

static void take(int which, bool is_timed)
{
    struct timespec limit;
    clock_gettime(CLOCK_REALTIME, &limit);
    limit.tv_sec += 3600;
    if (is_mutex(which))
        pthread_mutex_lock(&shared->mutex);
    else if (is_timed)
        sem_timedwait(own[which], &limit);
    else
        sem_wait(own[which]);
}

static void give(int which)
{
    if (is_mutex(which))
        pthread_mutex_unlock(&shared->mutex);
    else
        sem_post(own[which]);
}

static void take_twice(int me)
{
    take(me, false);
    if (is_way("again")) {
        give(me);
        take(me, false);
    }
    take(me, false);
}

static void cross_semaphores(int me)
{
    if (is_way("many"))
        use_many();
    if (is_way("again") || is_way("event"))
        take_twice(me);
    if (is_way("used"))
        give(me);
    if (!is_way("signals"))
        take(me, false);
    pthread_barrier_wait(&shared->all_hold);
    take(!me, me && is_way("timed"));
    give(!me);
    if (!is_way("signals"))
        give(me);
}

static void *wait_for_nothing(void *unused)
{
    sem_wait(&shared->never);
    return unused;
}

static void act(int me)
{
    pthread_t thread;
    if (is_way("threads"))
        pthread_create(&thread, NULL, wait_for_nothing, NULL);
    cross_semaphores(me);
}

static pid_t start(int me)
{
    pid_t child = fork();
    if (child)
        return child;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    act(me);
    _exit(0);
}

static void run_unwatched(const char *program, int file)
{
    char number[16];
    snprintf(number, sizeof number, "%d", file);
    if (fork())
        return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    unsetenv("LD_PRELOAD");
    execl(program, program, "sleeper", number, (char *)NULL);
    _exit(2);
}

/* Posts what is waited for, when it is let go. */
static void start_helper(void)
{
    char byte;
    if (fork())
        return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    while (read(STDIN_FILENO, &byte, 1) > 0)
        continue;
    sem_post(own[1]);
    if (is_way("signals"))
        sem_post(own[0]);
    _exit(0);
}

static void say_ready(void)
{
    printf("ready %d\n", (int)getpid());
    fflush(stdout);
}

int main(int argc, char **argv)
{
    int file = argc > 2 ? atoi(argv[2]) : -1;
    way = argc > 1 ? argv[1] : "memory";
    if (is_way("unwatched") &&
        ((file = memfd_create("semaphores", 0)) < 0 || ftruncate(file, sizeof *shared)))
        return 2;
    map(file);
    if (is_way("sleeper")) {
        pthread_barrier_wait(&shared->all_hold);
        sem_wait(&shared->never);
        return 0;
    }
    make_others();
    if (is_way("unmade"))
        make_elsewhere();
    else
        make();
    if (is_way("unwatched"))
        run_unwatched(argv[0], file);
    if (is_way("awake") || is_way("signals"))
        start_helper();
    start(1);
    if (is_way("children"))
        start(0);
    say_ready();
    if (!is_way("children"))
        act(0);
    while (wait(NULL) > 0)
        continue;
    puts("done");
    return 0;
}
