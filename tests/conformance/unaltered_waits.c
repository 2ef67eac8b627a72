/*
 * Waits that a watcher could alter and must not: over objects that two processes share, of mutexes
 * with a priority protocol, under signals that restart. Whoever waits in slices, tries before it
 * waits, or takes a timed form shows here: a wake-up is lost, a round takes seconds (and this
 * program its time limit), EINTR comes, a priority is not lent.
 */
// quiet
#include "tell.h"
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>

enum { ROUNDS = 40 };

struct shared {
    pthread_mutex_t m, lent;
    pthread_cond_t c;
    pthread_barrier_t b;
    sem_t s;
    int turn, step;
};

static struct shared *make_shared(void)
{
    struct shared *shared =
        mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_mutexattr_t ma;
    pthread_condattr_t ca;
    pthread_barrierattr_t ba;

    pthread_mutexattr_init(&ma);
    pthread_mutexattr_setpshared(&ma, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(&shared->m, &ma);
    pthread_mutexattr_setprotocol(&ma, PTHREAD_PRIO_INHERIT);
    pthread_mutex_init(&shared->lent, &ma);
    pthread_condattr_init(&ca);
    pthread_condattr_setpshared(&ca, PTHREAD_PROCESS_SHARED);
    pthread_cond_init(&shared->c, &ca);
    pthread_barrierattr_init(&ba);
    pthread_barrierattr_setpshared(&ba, PTHREAD_PROCESS_SHARED);
    pthread_barrier_init(&shared->b, &ba, 2);
    sem_init(&shared->s, 1, 0);
    return shared;
}

/* Each process is one thread: when it waits, all of its threads do. */
static void take_turns(struct shared *shared, int me)
{
    for (int i = 0; i < ROUNDS; i++) {
        LOCK(shared->m);
        while (shared->turn != me)
            pthread_cond_wait(&shared->c, &shared->m);
        shared->turn = !me;
        UNLOCK(shared->m);
        /* Now and then the other has slept for a while before its signal comes. */
        if (i % 8 == 0)
            usleep(30000);
        pthread_cond_signal(&shared->c);
    }
}

static void meet(struct shared *shared)
{
    for (int i = 0; i < ROUNDS; i++)
        pthread_barrier_wait(&shared->b);
}

static void play(struct shared *shared, int me)
{
    take_turns(shared, me);
    meet(shared);
    for (int i = 0; i < ROUNDS && me; i++)
        sem_post(&shared->s);
    for (int i = 0; i < ROUNDS && !me; i++)
        sem_wait(&shared->s);
}

static void between_processes(struct shared *shared)
{
    pid_t child = fork();

    play(shared, child == 0);
    if (child == 0)
        _exit(0);
    int status;
    waitpid(child, &status, 0);
    say("child ended: %d", status);
}

/* A ceiling stands in the lock word whether it is held or not. */
static void ceiling(void)
{
    pthread_mutexattr_t attr;
    pthread_mutex_t m;

    pthread_mutexattr_init(&attr);
    pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_PROTECT);
    TELL(pthread_mutex_init(&m, &attr));
    for (int i = 0; i < ROUNDS; i++)
        if (pthread_mutex_lock(&m) != 0 || pthread_mutex_unlock(&m) != 0)
            break;
    TELL(pthread_mutex_lock(&m));
    TELL(pthread_mutex_unlock(&m));
}

/* The kernel's view, the third field behind "(name) S". */
static long priority_of(pid_t pid)
{
    char path[64], text[512];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "r");
    long priority = 0;
    if (file && fgets(text, sizeof text, file))
        sscanf(strrchr(text, ')') + 2,
               "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %ld", &priority);
    if (file)
        fclose(file);
    return priority;
}

/* The holder in one process is lent the priority of the one that waits in another. */
static void lent_priority(struct shared *shared)
{
    struct sched_param high = {.sched_priority = 50};

    LOCK(shared->lent);
    pid_t child = fork();
    if (child == 0) {
        int may = sched_setscheduler(0, SCHED_FIFO, &high) == 0;
        __atomic_store_n(&shared->step, may ? 1 : 2, __ATOMIC_SEQ_CST);
        if (may)
            LOCK(shared->lent);
        _exit(0);
    }
    while (__atomic_load_n(&shared->step, __ATOMIC_SEQ_CST) == 0)
        sched_yield();
    if (shared->step == 1)
        while (priority_of(getpid()) != -51)
            sched_yield();
    say("lent: %d", shared->step);
    UNLOCK(shared->lent);
    waitpid(child, NULL, 0);
}

static sem_t posted;
static int handled;

static void on_alarm(int number)
{
    (void)number;
    if (++handled == 5)
        sem_post(&posted);
}

static void interrupted(int flags)
{
    struct sigaction action = {.sa_handler = on_alarm, .sa_flags = flags};
    struct itimerval often = {{0, 10000}, {0, 10000}}, never = {{0, 0}, {0, 0}};

    handled = 0;
    sem_init(&posted, 0, 0);
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    int result = sem_wait(&posted);
    int error = errno;
    setitimer(ITIMER_REAL, &never, NULL);
    say("sem_wait: %d %s after %s", result, result ? strerror(error) : "",
        flags & SA_RESTART ? (handled >= 5 ? "all" : "some") : "one or more");
}

int main(void)
{
    struct shared *shared = make_shared();

    between_processes(shared);
    ceiling();
    lent_priority(shared);
    interrupted(SA_RESTART);
    interrupted(0);
    return 0;
}
