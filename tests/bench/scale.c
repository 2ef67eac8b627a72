/*
 * scale [MOST]: what an operation costs as there are more of a kind, so that the curve can be seen.
 * `first` is the new edge, `again` the steady state. The bytes are what the process grew by, the
 * locks themselves not counted; `peak` is the most that it ever did meanwhile. Times are of the
 * processor. Up to MOST locks (1,000,000); 10,000,000 take 2 GB under the library.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t outer[1000];
static pthread_mutex_t *locks;

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* A line of /proc/self/status, in bytes. */
static double memory(const char *name)
{
    char line[128];
    long kib = 0;
    FILE *file = fopen("/proc/self/status", "r");

    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, name, strlen(name)) == 0)
            kib = atol(line + strlen(name));
    if (file)
        fclose(file);
    return (double)kib * 1024;
}

/* From here on the most is counted anew. */
static double resident(void)
{
    FILE *file = fopen("/proc/self/clear_refs", "w");

    if (file) {
        fputs("5", file);
        fclose(file);
    }
    return memory("VmRSS:");
}

static void make_locks(long n)
{
    locks = malloc((size_t)n * sizeof *locks);
    for (long i = 0; i < n; i++)
        pthread_mutex_init(&locks[i], NULL);
}

static void drop_locks(long n)
{
    for (long i = 0; i < n; i++)
        pthread_mutex_destroy(&locks[i]);
    free(locks);
}

static void take(pthread_mutex_t *under, long from, long to)
{
    pthread_mutex_lock(under);
    for (long i = from; i < to; i++) {
        pthread_mutex_lock(&locks[i]);
        pthread_mutex_unlock(&locks[i]);
    }
    pthread_mutex_unlock(under);
}

static void take_under_one(long n)
{
    take(&outer[0], 0, n);
}

static void take_hand_over_hand(long n)
{
    pthread_mutex_lock(&locks[0]);
    for (long i = 1; i < n; i++) {
        pthread_mutex_lock(&locks[i]);
        pthread_mutex_unlock(&locks[i - 1]);
    }
    pthread_mutex_unlock(&locks[n - 1]);
}

static void take_alone(long n)
{
    for (long i = 0; i < n; i++) {
        pthread_mutex_lock(&locks[i]);
        pthread_mutex_unlock(&locks[i]);
    }
}

/* In a process of its own, which finds no memory left by the rows before. */
static void show_locks(const char *how, void (*take_all)(long), long n)
{
    fflush(stdout);
    pid_t child = fork();
    if (child != 0) {
        waitpid(child, NULL, 0);
        return;
    }
    make_locks(n);
    double before = resident();
    double start = now();
    take_all(n);
    double middle = now();
    double after = memory("VmRSS:");
    double peak = memory("VmHWM:");
    take_all(n);
    double end = now();
    printf("%-14s %8ld  first %6.0f ns  again %6.1f ns  %6.1f bytes a lock, peak %6.1f\n", how, n,
           (middle - start) / (double)n, (end - middle) / (double)n, (after - before) / (double)n,
           (peak - before) / (double)n);
    exit(0);
}

/* Many edges on few locks: each of a row of outer locks over the same thousand inner ones. */
static void show_edges(long n)
{
    enum { INNER = 1000 };

    make_locks(INNER);
    double spent[2];
    for (int round = 0; round < 2; round++) {
        double start = now();
        for (long i = 0; i < n / INNER; i++)
            take(&outer[i], 0, INNER);
        spent[round] = (now() - start) / (double)n;
    }
    printf("%-14s %8ld  first %6.0f ns  again %6.1f ns\n", "edges", n, spent[0], spent[1]);
    drop_locks(INNER);
}

static void show_held(long n)
{
    make_locks(n);
    double spent[2];
    for (int round = 0; round < 2; round++) {
        double start = now();
        for (long i = 0; i < n; i++)
            pthread_mutex_lock(&locks[i]);
        for (long i = n; i-- > 0;)
            pthread_mutex_unlock(&locks[i]);
        spent[round] = (now() - start) / (double)n;
    }
    printf("%-14s %8ld  first %6.0f ns  again %6.1f ns\n", "held at once", n, spent[0], spent[1]);
    drop_locks(n);
}

static void nest(long first, long second)
{
    pthread_mutex_lock(&locks[first]);
    take(&locks[second], 0, 0);
    pthread_mutex_unlock(&locks[first]);
}

/* Every edge but the first comes before all that are known, or every second joins two pairs against
 * the order that they were first seen in: then neither end is loose. */
static void show_hostile(long n)
{
    double spent[2];

    for (int loose = 0; loose < 2; loose++) {
        make_locks(n);
        double start = now();
        for (long i = n - 1; i > 0; i -= 2 - loose)
            nest(i, i - 1);
        for (long i = 2; !loose && i < n; i += 2)
            nest(i, i - 1);
        spent[loose] = (now() - start) / 1e9;
        drop_locks(n);
    }
    printf("%-14s %8ld  in all %.3f s, in pairs %.3f s\n", "reverse chain", n, spent[1], spent[0]);
}

static pthread_barrier_t all;

static void *visit(void *arg)
{
    take(arg, 0, 4);
    return NULL;
}

static void *stay(void *arg)
{
    visit(arg);
    pthread_barrier_wait(&all);
    return NULL;
}

static void show_threads(long n, int at_once)
{
    pthread_t *threads = calloc((size_t)at_once, sizeof *threads);

    make_locks(4);
    pthread_barrier_init(&all, NULL, (unsigned)at_once);
    double before = resident();
    double start = now();
    for (long done = 0; done < n; done += at_once) {
        for (int i = 0; i < at_once; i++)
            pthread_create(&threads[i], NULL, at_once > 1 ? stay : visit, &outer[0]);
        for (int i = 0; i < at_once; i++)
            pthread_join(threads[i], NULL);
    }
    printf("%-14s %8ld  each %7.0f ns  %d at once  %.0f KiB in all\n", "threads", n,
           (now() - start) / (double)n, at_once, (resident() - before) / 1024);
    pthread_barrier_destroy(&all);
    drop_locks(4);
    free(threads);
}

int main(int argc, char **argv)
{
    long most = argc > 1 ? atol(argv[1]) : 1000000;

    for (size_t i = 0; i < sizeof outer / sizeof *outer; i++)
        outer[i] = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    for (long n = 10000; n <= most; n *= 10)
        show_locks("never nested", take_alone, n);
    for (long n = 10000; n <= most; n *= 10)
        show_locks("under one", take_under_one, n);
    for (long n = 10000; n <= most; n *= 10)
        show_locks("hand over hand", take_hand_over_hand, n);
    for (long n = 10000; n <= 1000000; n *= 10)
        show_edges(n);
    for (long n = 1000; n <= 100000; n *= 10)
        show_hostile(n);
    for (long n = 10; n <= 10000; n *= 10)
        show_held(n);
    for (long n = 100; n <= 10000; n *= 10)
        show_threads(n, 1);
    for (int n = 10; n <= 1000; n *= 10)
        show_threads(10000, n);
    return 0;
}
