/*
 * Hangs for good in a given way. Prints "ready PID" when all of its threads exist; they may still
 * be on their way into the wait.
 *
 *   hang abba|recursive|errorcheck|robust|pi|self|ring N|rwlock|join|join-lock|once|file|gone|
 *        condition|spin|forked|main-gone|readers|pool|
 *        handled|reinit|posted
 */
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST = 64 };

struct account {
    int balance;
    pthread_mutex_t lock;
} accounts[MOST];
pthread_rwlock_t tables[2] = {PTHREAD_RWLOCK_INITIALIZER, PTHREAD_RWLOCK_INITIALIZER};
pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
pthread_cond_t news = PTHREAD_COND_INITIALIZER;
sem_t slots, pool;
pthread_once_t setup = PTHREAD_ONCE_INIT;
pthread_spinlock_t spins[2];
FILE *sinks[2];
static pthread_t threads[MOST];
static pthread_barrier_t all_hold;
static atomic_int waiter; /* the tid of the one that wants the gate */
static unsigned n = 2;

static void transfer(struct account *from, struct account *to)
{
    pthread_mutex_lock(&from->lock);
    pthread_barrier_wait(&all_hold);
    pthread_mutex_lock(&to->lock);
}

static void *ring(void *argument)
{
    unsigned me = (unsigned)(size_t)argument;
    transfer(&accounts[me], &accounts[(me + 1) % n]);
    return NULL;
}

static void *lock_twice(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&gate);
    pthread_barrier_wait(&all_hold);
    pthread_mutex_lock(&gate);
    return NULL;
}

/* One writes what the other reads, and the other way round. */
static void *cross_tables(void *argument)
{
    unsigned me = (unsigned)(size_t)argument;
    pthread_rwlock_wrlock(&tables[me]);
    pthread_barrier_wait(&all_hold);
    if (me)
        pthread_rwlock_rdlock(&tables[0]);
    else
        pthread_rwlock_wrlock(&tables[1]);
    return NULL;
}

/* Each reads what the other wants to write. */
static void *upgrade_other(void *argument)
{
    unsigned me = (unsigned)(size_t)argument;
    pthread_rwlock_rdlock(&tables[me]);
    pthread_barrier_wait(&all_hold);
    pthread_rwlock_wrlock(&tables[!me]);
    return NULL;
}

/* Each has one of the pool, and wants a second. */
static void *take_two(void *unused)
{
    (void)unused;
    sem_wait(&pool);
    pthread_barrier_wait(&all_hold);
    sem_wait(&pool);
    return NULL;
}

static void *join_other(void *argument)
{
    unsigned me = (unsigned)(size_t)argument;
    pthread_barrier_wait(&all_hold);
    pthread_join(threads[(me + 1) % n], NULL);
    return NULL;
}

static void *join_under_lock(void *argument)
{
    if (argument) {
        pthread_mutex_lock(&gate);
        pthread_barrier_wait(&all_hold);
        pthread_join(threads[0], NULL);
    } else {
        pthread_barrier_wait(&all_hold);
        pthread_mutex_lock(&gate);
    }
    return NULL;
}

static void initialise(void)
{
    pthread_barrier_wait(&all_hold);
    pthread_mutex_lock(&gate);
}

static void *once_and_lock(void *argument)
{
    if (argument)
        pthread_mutex_lock(&gate);
    else
        pthread_once(&setup, initialise);
    pthread_barrier_wait(&all_hold);
    pthread_once(&setup, initialise);
    return NULL;
}

static void *cross_files(void *argument)
{
    unsigned me = (unsigned)(size_t)argument;
    flockfile(sinks[me]);
    pthread_barrier_wait(&all_hold);
    fputs("x", sinks[!me]);
    return NULL;
}

static void *take_and_end(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&gate);
    return NULL;
}

static void *want_gate(void *unused)
{
    (void)unused;
    pthread_barrier_wait(&all_hold);
    atomic_store(&waiter, (int)syscall(SYS_gettid));
    pthread_mutex_lock(&gate);
    return NULL;
}

static void *wait_for_ever(void *argument)
{
    pthread_barrier_wait(&all_hold);
    if (argument) {
        sem_wait(&slots);
        return NULL;
    }
    pthread_mutex_lock(&gate);
    for (;;)
        pthread_cond_wait(&news, &gate);
}

/* What it has taken another thread gives back. */
static void *take_and_wait(void *unused)
{
    (void)unused;
    sem_wait(&pool);
    pthread_barrier_wait(&all_hold);
    sem_wait(&slots);
    return NULL;
}

static void *cross_spins(void *argument)
{
    unsigned me = (unsigned)(size_t)argument;
    pthread_spin_lock(&spins[me]);
    pthread_barrier_wait(&all_hold);
    pthread_spin_lock(&spins[!me]);
    return NULL;
}

/* Somebody might send it, and it might post. */
static void handle(int number)
{
    (void)number;
}

static const struct way {
    const char *name;
    void *(*routine)(void *);
    int type, protocol, robust;
} ways[] = {
    {"abba", ring, 0, 0, 0},
    {"ring", ring, 0, 0, 0},
    {"recursive", ring, PTHREAD_MUTEX_RECURSIVE, 0, 0},
    {"errorcheck", ring, PTHREAD_MUTEX_ERRORCHECK, 0, 0},
    {"robust", ring, 0, 0, 1},
    {"pi", ring, 0, PTHREAD_PRIO_INHERIT, 0},
    {"self", lock_twice, 0, 0, 0},
    {"main-gone", lock_twice, 0, 0, 0},
    {"rwlock", cross_tables, 0, 0, 0},
    {"join", join_other, 0, 0, 0},
    {"join-lock", join_under_lock, 0, 0, 0},
    {"once", once_and_lock, 0, 0, 0},
    {"file", cross_files, 0, 0, 0},
    {"gone", want_gate, 0, 0, 0},
    {"condition", wait_for_ever, 0, 0, 0},
    {"spin", cross_spins, 0, 0, 0},
    {"readers", upgrade_other, 0, 0, 0},
    {"handled", wait_for_ever, 0, 0, 0},
    {"pool", take_two, 0, 0, 0},
    {"forked", want_gate, 0, 0, 0},
    {"reinit", want_gate, 0, 0, 0},
    {"posted", take_and_wait, 0, 0, 0},
};

static void prepare(const struct way *way)
{
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, way->type);
    pthread_mutexattr_setprotocol(&attributes, way->protocol);
    if (way->robust)
        pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    for (unsigned i = 0; i < MOST; i++)
        pthread_mutex_init(&accounts[i].lock, &attributes);
    sem_init(&slots, 0, 0);
    sem_init(&pool, 0, n);
    for (int i = 0; i < 2; i++) {
        pthread_spin_init(&spins[i], 0);
        sinks[i] = fopen("/dev/null", "w");
    }
}

/* The child inherits a lock that no thread of it will ever give back. */
static void fork_holding(void)
{
    pthread_mutex_lock(&gate);
    pid_t child = fork();
    if (child > 0) {
        waitpid(child, NULL, 0);
        _exit(0);
    }
}

static bool sleeps_in_futex(const char *path)
{
    char call[64] = "";
    FILE *file = fopen(path, "r");
    bool is_read = file && fgets(call, sizeof call, file);
    if (file)
        fclose(file);
    return is_read && atol(call) == SYS_futex;
}

/* Makes the lock anew under the thread that waits for it: nobody will wake that one. */
static void make_anew(void)
{
    char path[64];
    while (!atomic_load(&waiter))
        sched_yield();
    snprintf(path, sizeof path, "/proc/self/task/%d/syscall", atomic_load(&waiter));
    while (!sleeps_in_futex(path))
        sched_yield();
    pthread_mutex_init(&gate, NULL);
}

int main(int argc, char **argv)
{
    const struct way *way = NULL;
    for (size_t i = 0; i < sizeof ways / sizeof *ways && argc > 1; i++)
        if (!strcmp(ways[i].name, argv[1]))
            way = &ways[i];
    if (!way)
        return 2;
    if (argc > 2)
        n = (unsigned)atoi(argv[2]);
    if (!n || n > MOST)
        return 2;
    if (way->routine == lock_twice || way->routine == want_gate || way->routine == take_and_wait)
        n = 1;
    prepare(way);
    if (!strcmp(way->name, "handled"))
        signal(SIGUSR1, handle);
    if (!strcmp(way->name, "forked"))
        fork_holding();
    if (!strcmp(way->name, "reinit"))
        pthread_mutex_lock(&gate);
    if (!strcmp(way->name, "gone")) {
        pthread_create(&threads[0], NULL, take_and_end, NULL);
        pthread_join(threads[0], NULL);
    }
    pthread_barrier_init(&all_hold, NULL, n + 1);
    for (unsigned i = 0; i < n; i++) {
        char name[16];
        pthread_create(&threads[i], NULL, way->routine, (void *)(size_t)i);
        snprintf(name, sizeof name, "worker-%u", i);
        pthread_setname_np(threads[i], name);
    }
    pthread_barrier_wait(&all_hold);
    if (!strcmp(way->name, "reinit"))
        make_anew();
    if (way->routine == take_and_wait)
        sem_post(&pool);
    printf("ready %d\n", (int)getpid());
    fflush(stdout);
    if (way->routine == wait_for_ever)
        sem_wait(&slots);
    else if (!strcmp(way->name, "main-gone"))
        pthread_exit(NULL);
    else
        pause();
    return 0;
}
