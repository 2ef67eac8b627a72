/*
 * rotations: what a program pays that takes its locks in every order. Rotations of N locks by one
 * thread, and pairs of accounts by four threads: under a gate, one thread after the other, one at a
 * time (a real inversion that can't hang here), and in the order of the accounts (no cycle). Times
 * are of the processor, in milliseconds; `a pair` is of one lock under another.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 4 };

enum mode { GATED, JOINED, IN_TURN, SORTED };

struct run {
    enum mode mode;
    int accounts;
    long rounds;
};

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t *locks;
static struct run run;
static _Atomic int turn;

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void make_locks(int n)
{
    locks = calloc((size_t)n, sizeof *locks);
    for (int i = 0; i < n; i++)
        pthread_mutex_init(&locks[i], NULL);
}

static void rotate(int n)
{
    for (int first = 0; first < n; first++) {
        for (int i = 0; i < n; i++)
            pthread_mutex_lock(&locks[(first + i) % n]);
        for (int i = 0; i < n; i++)
            pthread_mutex_unlock(&locks[(first + i) % n]);
    }
}

static void transfer(int from, int to)
{
    if (run.mode == SORTED && from > to) {
        int swap = from;
        from = to;
        to = swap;
    }
    if (run.mode == GATED)
        pthread_mutex_lock(&gate);
    pthread_mutex_lock(&locks[from]);
    pthread_mutex_lock(&locks[to]);
    pthread_mutex_unlock(&locks[to]);
    pthread_mutex_unlock(&locks[from]);
    if (run.mode == GATED)
        pthread_mutex_unlock(&gate);
}

/* The turn is handed on by a plain word, of which the library knows nothing. */
static void *teller(void *arg)
{
    int self = (int)(long)arg;
    unsigned seed = (unsigned)self * 7919 + 1;

    for (long i = 0; i < run.rounds; i++) {
        int from = rand_r(&seed) % run.accounts;
        int to = rand_r(&seed) % run.accounts;
        while (run.mode == IN_TURN && i % 1000 == 0 && atomic_load(&turn) != self)
            usleep(10);
        if (from != to)
            transfer(from, to);
        if (run.mode == IN_TURN && i % 1000 == 999)
            atomic_store(&turn, (self + 1) % THREADS);
    }
    return NULL;
}

static void transfer_all(void)
{
    pthread_t threads[THREADS];

    for (long i = 0; i < THREADS; i++) {
        pthread_create(&threads[i], NULL, teller, (void *)i);
        if (run.mode == JOINED)
            pthread_join(threads[i], NULL);
    }
    for (int i = 0; i < THREADS && run.mode != JOINED; i++)
        pthread_join(threads[i], NULL);
}

/* Each row in a process of its own, which has nothing in memory from those before. */
static int is_child(void)
{
    fflush(stdout);
    pid_t child = fork();
    if (child)
        waitpid(child, NULL, 0);
    return child == 0;
}

static void show_rotations(int n)
{
    if (!is_child())
        return;
    make_locks(n);
    double start = now();
    rotate(n);
    printf("rotations      %5d locks     %8.1f ms\n", n, now() - start);
    exit(0);
}

static void show_pairs(enum mode mode, int accounts, long rounds)
{
    static const char *const names[] = {"gated", "joined", "in turn", "sorted"};

    if (!is_child())
        return;
    run = (struct run){mode, accounts, rounds};
    make_locks(accounts);
    double start = now();
    transfer_all();
    double spent = now() - start;
    printf("pairs, %-7s %5d accounts  %8.1f ms  %6.0f ns a pair\n", names[mode], accounts, spent,
           spent * 1e6 / (double)(rounds * THREADS));
    exit(0);
}

int main(int argc, char **argv)
{
    static const int rotations[] = {4, 8, 12, 20, 45, 70, 100};
    static const int accounts[] = {10, 50, 100, 200, 500, 1000, 2000};
    long rounds = argc > 1 ? atol(argv[1]) : 20000;

    for (size_t i = 0; i < sizeof rotations / sizeof *rotations; i++)
        show_rotations(rotations[i]);
    for (enum mode mode = GATED; mode <= SORTED; mode++)
        for (size_t i = 0; i < sizeof accounts / sizeof *accounts; i++)
            show_pairs(mode, accounts[i], rounds);
    return 0;
}
