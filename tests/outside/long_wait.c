/*
 * One holder, N waiters of a given kind, and a way out: the holder sits in read(0) until told,
 * then lets go and the program ends with 0.
 *
 *   long_wait KIND [N]
 *
 * Prints "ready PID" once the waiters exist. They may still be on their way into the wait: who
 * looks from outside polls until they are there.
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
pthread_rwlock_t table = PTHREAD_RWLOCK_INITIALIZER;
pthread_cond_t news = PTHREAD_COND_INITIALIZER;
sem_t slots;
pthread_barrier_t meeting;
pthread_once_t setup = PTHREAD_ONCE_INIT;
pthread_spinlock_t spin;
mtx_t plain;
FILE *sink;
static pthread_t holder_thread;
static int told;
static sem_t in_place;

static void wait_until_told(void)
{
    char byte;
    sem_post(&in_place);
    if (read(0, &byte, 1) < 0)
        exit(3);
}

static void lock_gate(void)
{
    pthread_mutex_lock(&gate);
}
static void unlock_gate(void)
{
    pthread_mutex_unlock(&gate);
}
static void timed_gate(void)
{
    struct timespec end;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += 3600;
    if (pthread_mutex_timedlock(&gate, &end))
        exit(4);
}
static void write_table(void)
{
    pthread_rwlock_wrlock(&table);
}
static void read_table(void)
{
    pthread_rwlock_rdlock(&table);
}
static void unlock_table(void)
{
    pthread_rwlock_unlock(&table);
}
static void take_slot(void)
{
    while (sem_wait(&slots) && errno == EINTR)
        exit(5);
}
static void give_slot(void)
{
    sem_post(&slots);
}
static void nothing(void)
{
}
static void wait_news(void)
{
    pthread_mutex_lock(&gate);
    while (!told)
        pthread_cond_wait(&news, &gate);
    pthread_mutex_unlock(&gate);
}
static void tell_news(void)
{
    pthread_mutex_lock(&gate);
    told = 1;
    pthread_cond_broadcast(&news);
    pthread_mutex_unlock(&gate);
}
static void meet(void)
{
    pthread_barrier_wait(&meeting);
}
/* Destroying waits for whoever is still inside. */
static void *wait_too(void *unused)
{
    pthread_mutex_lock(&gate);
    sem_post(&slots);
    while (!told)
        pthread_cond_wait(&news, &gate);
    pthread_mutex_unlock(&gate);
    return unused;
}
static void destroy_news(void)
{
    pthread_t inside;
    pthread_create(&inside, NULL, wait_too, NULL);
    sem_wait(&slots);
    lock_gate(); /* it has given the gate up, so it is in its wait */
    unlock_gate();
    pthread_cond_destroy(&news);
    pthread_join(inside, NULL);
}
static void run_once(void)
{
    pthread_once(&setup, wait_until_told);
}
static void join_holder(void)
{
    pthread_join(holder_thread, NULL);
}
static void take_spin(void)
{
    pthread_spin_lock(&spin);
}
static void drop_spin(void)
{
    pthread_spin_unlock(&spin);
}
static void lock_sink(void)
{
    flockfile(sink);
}
static void write_sink(void)
{
    fputs("x", sink);
    flockfile(sink);
}
static void unlock_sink(void)
{
    funlockfile(sink);
}
static void lock_plain(void)
{
    mtx_lock(&plain);
}
static void unlock_plain(void)
{
    mtx_unlock(&plain);
}

static const struct kind {
    const char *name;
    void (*hold)(void), (*let_go)(void); /* the holder, around its wait */
    void (*enter)(void), (*leave)(void); /* a waiter */
    int type, protocol, robust;
} kinds[] = {
    {"mutex", lock_gate, unlock_gate, lock_gate, unlock_gate, 0, 0, 0},
    {"recursive", lock_gate, unlock_gate, lock_gate, unlock_gate, PTHREAD_MUTEX_RECURSIVE, 0, 0},
    {"errorcheck", lock_gate, unlock_gate, lock_gate, unlock_gate, PTHREAD_MUTEX_ERRORCHECK, 0, 0},
    {"adaptive", lock_gate, unlock_gate, lock_gate, unlock_gate, PTHREAD_MUTEX_ADAPTIVE_NP, 0, 0},
    {"robust", lock_gate, unlock_gate, lock_gate, unlock_gate, 0, 0, 1},
    {"pi", lock_gate, unlock_gate, lock_gate, unlock_gate, 0, PTHREAD_PRIO_INHERIT, 0},
    {"timedlock", lock_gate, unlock_gate, timed_gate, unlock_gate, 0, 0, 0},
    {"rdlock", write_table, unlock_table, read_table, unlock_table, 0, 0, 0},
    {"wrlock", write_table, unlock_table, write_table, unlock_table, 0, 0, 0},
    {"upgrade", read_table, unlock_table, write_table, unlock_table, 0, 0, 0},
    {"semaphore", nothing, give_slot, take_slot, give_slot, 0, 0, 0},
    {"condition", nothing, tell_news, wait_news, nothing, 0, 0, 0},
    {"barrier", nothing, meet, meet, nothing, 0, 0, 0},
    {"destroy", nothing, tell_news, destroy_news, nothing, 0, 0, 0},
    {"once", NULL, nothing, run_once, nothing, 0, 0, 0},
    {"join", nothing, nothing, join_holder, nothing, 0, 0, 0},
    {"spin", take_spin, drop_spin, take_spin, drop_spin, 0, 0, 0},
    {"file", lock_sink, unlock_sink, lock_sink, unlock_sink, 0, 0, 0},
    {"fputs", lock_sink, unlock_sink, write_sink, unlock_sink, 0, 0, 0},
    {"mtx", lock_plain, unlock_plain, lock_plain, unlock_plain, 0, 0, 0},
};

static const struct kind *kind;

static void *hold(void *unused)
{
    (void)unused;
    pthread_setname_np(pthread_self(), "holder");
    if (!kind->hold) { /* the once-routine itself waits */
        kind->enter();
        return NULL;
    }
    kind->hold();
    wait_until_told();
    kind->let_go();
    return NULL;
}

static void *enter_and_leave(void *unused)
{
    (void)unused;
    pthread_setname_np(pthread_self(), "waiter");
    kind->enter();
    kind->leave();
    return NULL;
}

static void prepare(unsigned waiters)
{
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, kind->type);
    pthread_mutexattr_setprotocol(&attributes, kind->protocol);
    if (kind->robust)
        pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&gate, &attributes);
    sem_init(&slots, 0, 0);
    sem_init(&in_place, 0, 0);
    pthread_barrier_init(&meeting, NULL, waiters + 1);
    pthread_spin_init(&spin, 0);
    mtx_init(&plain, mtx_plain);
    sink = fopen("/dev/null", "w");
}

int main(int argc, char **argv)
{
    unsigned n = argc > 2 ? (unsigned)atoi(argv[2]) : 1;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds && argc > 1; i++)
        if (!strcmp(kinds[i].name, argv[1]))
            kind = &kinds[i];
    if (!kind || n > 4096)
        return 2;
    prepare(n);
    pthread_t *waiters = calloc(n, sizeof *waiters);
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 65536);
    pthread_create(&holder_thread, NULL, hold, NULL);
    sem_wait(&in_place);
    for (unsigned i = 0; i < n; i++)
        if (pthread_create(&waiters[i], &small, enter_and_leave, NULL))
            return 6;
    printf("ready %d\n", (int)getpid());
    fflush(stdout);
    for (unsigned i = 0; i < n; i++)
        pthread_join(waiters[i], NULL);
    if (strcmp(kind->name, "join"))
        pthread_join(holder_thread, NULL);
    free(waiters);
    puts("done");
    return 0;
}
