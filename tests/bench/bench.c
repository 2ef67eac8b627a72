/*
 * bench SCENARIO [DEPTH [N]]: nanoseconds of one operation, the best of a few rounds, on a stack
 * that is DEPTH calls deep. With N the operation is done N times and no more, for who counts
 * instructions. tests/bench/run.sh runs it natively, preloaded and under peers.
 * Every thread walks its locks before the clock runs, so that what is measured is the steady
 * state; first.c measures the first times. All but `alone` run in a process of two threads, since
 * in one of one thread libc leaves the atomic operations out.
 */
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 3, ROUND_NS = 30 * 1000 * 1000, TEN_THOUSAND = 10000 };

struct scenario {
    const char *name;
    long locks; /* how many mutexes it wants in `locks` */
    int threads;
    bool wall;                     /* its cost is waiting: wall time, else CPU time */
    bool alone;                    /* in a process of one thread, where libc needs no atomics */
    void (*work)(int who, long n); /* the operation n times, as thread `who` */
};

static pthread_mutex_t *locks;
static long n_locks;
static unsigned *shuffled; /* the numbers of all locks, in random order */
static pthread_mutex_t outer = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t m[4] = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER,
                               PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER};
static pthread_mutex_t recursive = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;
static sem_t binary;

static long read_clock(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return t.tv_sec * 1000000000L + t.tv_nsec;
}

static void pair(pthread_mutex_t *mutex)
{
    pthread_mutex_lock(mutex);
    pthread_mutex_unlock(mutex);
}

static void single(int who, long n)
{
    (void)who;
    while (n-- > 0)
        pair(&m[0]);
}

static void nest(int depth)
{
    for (int i = 0; i < depth; i++)
        pthread_mutex_lock(&m[i]);
    for (int i = depth; i-- > 0;)
        pthread_mutex_unlock(&m[i]);
}

static void nested2(int who, long n)
{
    (void)who;
    for (; n > 0; n -= 2)
        nest(2);
}

static void nested4(int who, long n)
{
    (void)who;
    for (; n > 0; n -= 4)
        nest(4);
}

/* As programs do that wrap their locks: the frames that take and release are other ones. */
static __attribute__((noinline)) int take(pthread_mutex_t *mutex)
{
    int result = pthread_mutex_lock(mutex);

    __asm__ volatile("" : "+r"(result));
    return result;
}

static __attribute__((noinline)) int give(pthread_mutex_t *mutex)
{
    volatile int pad[8] = {0};
    int result = pthread_mutex_unlock(mutex);

    __asm__ volatile("" : "+r"(result));
    return result + pad[0];
}

static void helpers(int who, long n)
{
    (void)who;
    while (n-- > 0) {
        take(&m[0]);
        give(&m[0]);
    }
}

static void crosswise(int who, long n)
{
    (void)who;
    for (; n > 0; n -= 2) {
        pthread_mutex_lock(&m[0]);
        pthread_mutex_lock(&m[1]);
        pthread_mutex_unlock(&m[0]);
        pthread_mutex_unlock(&m[1]);
    }
}

static void in_turn(int who, long n)
{
    (void)who;
    for (long i = 0; n-- > 0; i = i + 1 < n_locks ? i + 1 : 0)
        pair(&locks[i]);
}

static void under_one(int who, long n)
{
    (void)who;
    for (long i = 0; n-- > 0; i = i + 1 < n_locks ? i + 1 : 0) {
        pthread_mutex_lock(&outer);
        pair(&locks[i]);
        pthread_mutex_unlock(&outer);
    }
}

static void under_random(int who, long n)
{
    (void)who;
    for (long i = 0; n-- > 0; i = i + 1 < n_locks ? i + 1 : 0) {
        pthread_mutex_lock(&outer);
        pair(&locks[shuffled[i]]);
        pthread_mutex_unlock(&outer);
    }
}

static void rw_read(int who, long n)
{
    (void)who;
    while (n-- > 0) {
        pthread_rwlock_rdlock(&rw);
        pthread_rwlock_unlock(&rw);
    }
}

static void rw_write(int who, long n)
{
    (void)who;
    while (n-- > 0) {
        pthread_rwlock_wrlock(&rw);
        pthread_rwlock_unlock(&rw);
    }
}

static void recurse(int who, long n)
{
    (void)who;
    while (n-- > 0)
        pair(&recursive);
}

static void trylock(int who, long n)
{
    (void)who;
    while (n-- > 0) {
        if (pthread_mutex_trylock(&m[0]) == 0)
            pthread_mutex_unlock(&m[0]);
    }
}

static void semaphore(int who, long n)
{
    (void)who;
    while (n-- > 0) {
        sem_wait(&binary);
        sem_post(&binary);
    }
}

static void short_life(int who, long n)
{
    (void)who;
    while (n-- > 0) {
        pthread_mutex_t *mutex = malloc(sizeof *mutex);
        pthread_mutex_init(mutex, NULL);
        pair(mutex);
        pthread_mutex_destroy(mutex);
        free(mutex);
    }
}

static struct {
    _Alignas(128) pthread_mutex_t a;
    _Alignas(128) pthread_mutex_t b;
} own[2] = {{PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER},
            {PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER}};

static void plain(int who, long n)
{
    while (n-- > 0)
        pair(&own[who].a);
}

static void nested(int who, long n)
{
    for (; n > 0; n -= 2) {
        pthread_mutex_lock(&own[who].a);
        pair(&own[who].b);
        pthread_mutex_unlock(&own[who].a);
    }
}

static void shared(int who, long n)
{
    for (long i = who * n_locks / 2; n-- > 0; i = i + 1 < n_locks ? i + 1 : 0) {
        pthread_mutex_lock(&own[who].a);
        pair(&locks[i]);
        pthread_mutex_unlock(&own[who].a);
    }
}

static void *nothing(void *arg)
{
    return arg;
}

static void create_join(int who, long n)
{
    (void)who;
    while (n-- > 0) {
        pthread_t thread;
        pthread_create(&thread, NULL, nothing, NULL);
        pthread_join(thread, NULL);
    }
}

static pthread_cond_t turned = PTHREAD_COND_INITIALIZER;
static int turn;

/* Each on a processor of its own: what a wake-up costs hangs on where the kernel puts the two. */
static void sit_on(int place)
{
    cpu_set_t all, mine;

    CPU_ZERO(&mine);
    if (sched_getaffinity(0, sizeof all, &all) != 0)
        return;
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &all) && place-- == 0)
            CPU_SET(cpu, &mine);
    sched_setaffinity(0, sizeof mine, &mine);
}

static void ping_pong(int who, long n)
{
    sit_on(who);
    pthread_mutex_lock(&outer);
    while (n-- > 0) {
        while (turn != who)
            pthread_cond_wait(&turned, &outer);
        turn = !who;
        pthread_cond_signal(&turned);
    }
    pthread_mutex_unlock(&outer);
}

static pthread_barrier_t both;

static void barrier(int who, long n)
{
    sit_on(who);
    while (n-- > 0)
        pthread_barrier_wait(&both);
}

/* name, locks, threads, wall, alone, work */
static const struct scenario scenarios[] = {
    {"alone", 0, 1, false, true, single},
    {"single", 0, 1, false, false, single},
    {"nested2", 0, 1, false, false, nested2},
    {"nested4", 0, 1, false, false, nested4},
    {"crosswise", 0, 1, false, false, crosswise},
    {"helpers", 0, 1, false, false, helpers},
    {"turn1k", 1000, 1, false, false, in_turn},
    {"turn100k", 100000, 1, false, false, in_turn},
    {"under100k", 100000, 1, false, false, under_one},
    {"under1m", 1000000, 1, false, false, under_one},
    {"random1m", 1000000, 1, false, false, under_random},
    {"two_plain", 0, 2, false, false, plain},
    {"two_nested", 0, 2, false, false, nested},
    {"two_shared", TEN_THOUSAND, 2, false, false, shared},
    {"contended", 0, 2, true, false, single},
    {"rw_read", 0, 1, false, false, rw_read},
    {"rw_write", 0, 1, false, false, rw_write},
    {"recursive", 0, 1, false, false, recurse},
    {"trylock", 0, 1, false, false, trylock},
    {"semaphore", 0, 1, false, false, semaphore},
    {"short_life", 0, 1, false, false, short_life},
    {"create_join", 0, 1, true, false, create_join},
    {"ping_pong", 0, 2, true, false, ping_pong},
    {"barrier", 0, 2, true, false, barrier},
};

struct run {
    const struct scenario *scenario;
    long n;
    long spent[2];
    atomic_int ready;
};

/* Both threads are there before either begins. */
static void meet(struct run *run)
{
    atomic_fetch_add(&run->ready, 1);
    while (atomic_load(&run->ready) < run->scenario->threads)
        sched_yield();
}

/* The first walks over all the locks are not timed. Where there is a second thread, each run makes
 * one anew, and both have to walk again. */
static void work(struct run *run, int who)
{
    static bool is_walked;

    if (run->scenario->threads == 2 || !is_walked) {
        run->scenario->work(who, run->scenario->locks * 2);
        if (run->scenario->threads == 1)
            is_walked = true;
    }
    meet(run);
    clockid_t clock = run->scenario->wall ? CLOCK_MONOTONIC : CLOCK_THREAD_CPUTIME_ID;
    long start = read_clock(clock);
    run->scenario->work(who, run->n);
    run->spent[who] = read_clock(clock) - start;
}

static void *second(void *arg)
{
    work(arg, 1);
    return NULL;
}

/* Nanoseconds that n operations of each thread took. */
static long run_once(const struct scenario *s, long n)
{
    struct run run = {s, n, {0, 0}, 0};
    pthread_t thread;
    if (s->threads == 1) {
        work(&run, 0);
        return run.spent[0];
    }
    pthread_create(&thread, NULL, second, &run);
    work(&run, 0);
    pthread_join(thread, NULL);
    return (run.spent[0] + run.spent[1]) / 2;
}

/* Iterations that fill a round. */
static long calibrate(const struct scenario *s)
{
    for (long n = 64;; n *= 4) {
        long spent = run_once(s, n);
        if (spent > ROUND_NS / 8)
            return (long)((double)n * ROUND_NS / (double)spent) + 1;
    }
}

static double measure(const struct scenario *s, long fixed)
{
    if (fixed)
        return (double)run_once(s, fixed) / (double)fixed;
    long n = calibrate(s);
    double best = 0;
    for (int i = 0; i < ROUNDS; i++) {
        double each = (double)run_once(s, n) / (double)n;
        if (i == 0 || each < best)
            best = each;
    }
    return best;
}

static __attribute__((noinline)) double deeper(const struct scenario *s, int depth, long fixed)
{
    double result = depth > 0 ? deeper(s, depth - 1, fixed) : measure(s, fixed);
    __asm__ volatile("" ::: "memory"); /* no tail call */
    return result;
}

static void shuffle(void)
{
    unsigned long state = 1;

    shuffled = malloc(((size_t)n_locks + 1) * sizeof *shuffled);
    for (long i = 0; i < n_locks; i++) {
        state = state * 6364136223846793005UL + 1442695040888963407UL;
        long other = (long)((state >> 33) % (unsigned long)(i + 1));
        shuffled[i] = shuffled[other];
        shuffled[other] = (unsigned)i;
    }
}

static void prepare(const struct scenario *s)
{
    n_locks = s->locks;
    locks = calloc((size_t)n_locks + 1, sizeof *locks);
    for (long i = 0; i < n_locks; i++)
        locks[i] = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    shuffle();
    sem_init(&binary, 0, 1);
    pthread_barrier_init(&both, NULL, 2);
}

static void *idle(void *arg)
{
    (void)arg;
    for (;;)
        pause();
    return NULL;
}

int main(int argc, char **argv)
{
    for (size_t i = 0; argc > 1 && i < sizeof scenarios / sizeof *scenarios; i++) {
        if (strcmp(argv[1], scenarios[i].name) == 0) {
            pthread_t thread;
            prepare(&scenarios[i]);
            if (!scenarios[i].alone && scenarios[i].threads == 1)
                pthread_create(&thread, NULL, idle, NULL);
            printf("%.2f\n", deeper(&scenarios[i], argc > 2 ? atoi(argv[2]) : 5,
                                    argc > 3 ? atol(argv[3]) : 0));
            return 0;
        }
    }
    fprintf(stderr, "usage: bench SCENARIO [DEPTH]; scenarios:\n");
    for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++)
        fprintf(stderr, "  %s\n", scenarios[i].name);
    return 2;
}
