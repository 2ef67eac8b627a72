/*
 * scale [MOST]: what an operation costs as there are more of a kind, so that the curve can be seen.
 * Locks are taken under one lock: `first` is the new edge, `again` the steady state, and the bytes
 * are what the process grew by, the locks themselves not counted. MOST locks (1,000,000).
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
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

static long resident(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");

    if (!file || fscanf(file, "%*d %ld", &pages) != 1)
        pages = 0;
    if (file)
        fclose(file);
    return pages * sysconf(_SC_PAGESIZE);
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

static void show_locks(long n)
{
    locks = malloc((size_t)n * sizeof *locks);
    for (long i = 0; i < n; i++)
        locks[i] = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    long before = resident();
    double start = now();
    take(&outer[0], 0, n);
    double middle = now();
    long after = resident();
    take(&outer[0], 0, n);
    double end = now();
    printf("locks    %8ld  first %7.0f ns  again %6.1f ns  %6.1f bytes a lock\n", n,
           (middle - start) / (double)n, (end - middle) / (double)n,
           (double)(after - before) / (double)n);
    for (long i = 0; i < n; i++)
        pthread_mutex_destroy(&locks[i]);
    free(locks);
}

/* Many edges on few locks: each of a row of outer locks over the same thousand inner ones. */
static void show_edges(long n)
{
    enum { INNER = 1000 };

    locks = calloc(INNER, sizeof *locks);
    double start = now();
    for (long i = 0; i < n / INNER; i++)
        take(&outer[i], 0, INNER);
    double spent = now() - start;
    printf("edges    %8ld  first %7.0f ns\n", n, spent / (double)n);
    for (long i = 0; i < INNER; i++)
        pthread_mutex_destroy(&locks[i]);
    free(locks);
}

static void show_held(long n)
{
    locks = calloc((size_t)n, sizeof *locks);
    double spent[2];
    for (int round = 0; round < 2; round++) {
        double start = now();
        for (long i = 0; i < n; i++)
            pthread_mutex_lock(&locks[i]);
        for (long i = n; i-- > 0;)
            pthread_mutex_unlock(&locks[i]);
        spent[round] = (now() - start) / (double)n;
    }
    printf("held     %8ld  first %7.0f ns  again %6.1f ns\n", n, spent[0], spent[1]);
    for (long i = 0; i < n; i++)
        pthread_mutex_destroy(&locks[i]);
    free(locks);
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

    locks = calloc(4, sizeof *locks);
    pthread_barrier_init(&all, NULL, (unsigned)at_once);
    long before = resident();
    double start = now();
    for (long done = 0; done < n; done += at_once) {
        for (int i = 0; i < at_once; i++)
            pthread_create(&threads[i], NULL, at_once > 1 ? stay : visit, &outer[0]);
        for (int i = 0; i < at_once; i++)
            pthread_join(threads[i], NULL);
    }
    printf("threads  %8ld  each  %7.0f ns  %d at once  %ld KiB in all\n", n,
           (now() - start) / (double)n, at_once, (resident() - before) / 1024);
    pthread_barrier_destroy(&all);
    free(locks);
    free(threads);
}

int main(int argc, char **argv)
{
    long most = argc > 1 ? atol(argv[1]) : 1000000;

    for (size_t i = 0; i < sizeof outer / sizeof *outer; i++)
        outer[i] = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    for (long n = 1000; n <= most; n *= 10)
        show_locks(n);
    for (long n = 10000; n <= 1000000; n *= 10)
        show_edges(n);
    for (long n = 10; n <= 10000; n *= 10)
        show_held(n);
    for (long n = 100; n <= 10000; n *= 10)
        show_threads(n, 1);
    show_threads(10, 10);
    show_threads(100, 100);
    show_threads(1000, 1000);
    return 0;
}
