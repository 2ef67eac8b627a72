/*
 * first SCENARIO [DEPTH]: nanoseconds of what is new to the library when it is measured, on a stack
 * that is DEPTH calls deep: an order that it has not seen, or a lock at its second visit. The
 * steady state is bench.c's.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t *locks;
static long n_locks;
static pthread_mutex_t outer = PTHREAD_MUTEX_INITIALIZER;

static long read_clock(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return t.tv_sec * 1000000000L + t.tv_nsec;
}

static long now_ns(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

static void pair(pthread_mutex_t *mutex)
{
    pthread_mutex_lock(mutex);
    pthread_mutex_unlock(mutex);
}

/* Each of many locks for the second time under another: the first gave it its number. */
static long visit_all(void)
{
    long start = read_clock(CLOCK_THREAD_CPUTIME_ID);

    pthread_mutex_lock(&outer);
    for (long i = 0; i < n_locks; i++)
        pair(&locks[i]);
    pthread_mutex_unlock(&outer);
    return (read_clock(CLOCK_THREAD_CPUTIME_ID) - start) / n_locks;
}

static long second100k(void)
{
    visit_all();
    return visit_all();
}

/* A new edge from a place that has made edges before: fresh locks under one, one call place. */
static long edge_known_place(void)
{
    pthread_mutex_lock(&outer);
    pair(&locks[0]);
    pair(&locks[1]);
    long start = now_ns();
    for (long i = 2; i < n_locks; i++)
        pair(&locks[i]);
    long spent = now_ns() - start;
    pthread_mutex_unlock(&outer);
    return spent / (n_locks - 2);
}

/* A new edge from a place never seen: each of these functions has a lock call of its own. */
#define PLACE(n)                                                                                   \
    static __attribute__((noinline)) void place##n(void)                                           \
    {                                                                                              \
        pthread_mutex_lock(&locks[0x##n]);                                                         \
        pthread_mutex_unlock(&locks[0x##n]);                                                       \
    }
// clang-format off
#define PLACES(X, n)                                                                               \
    X(n##0) X(n##1) X(n##2) X(n##3) X(n##4) X(n##5) X(n##6) X(n##7)                                \
    X(n##8) X(n##9) X(n##a) X(n##b) X(n##c) X(n##d) X(n##e) X(n##f)
#define CALL(n) place##n,
PLACES(PLACE, 1) PLACES(PLACE, 2) PLACES(PLACE, 3) PLACES(PLACE, 4)
static void (*const places[])(void) = {
    PLACES(CALL, 1) PLACES(CALL, 2) PLACES(CALL, 3) PLACES(CALL, 4)
};
// clang-format on
enum { N_PLACES = sizeof places / sizeof *places };

static long edge_new_place(void)
{
    pthread_mutex_lock(&outer);
    pair(&locks[0]);
    long start = now_ns();
    for (int i = 0; i < N_PLACES; i++)
        places[i]();
    long spent = now_ns() - start;
    pthread_mutex_unlock(&outer);
    return spent / N_PLACES;
}

/* The first new edge of a thread. */
static void *first_edge(void *arg)
{
    static long next;
    long *spent = arg;
    pthread_mutex_lock(&outer);
    long start = now_ns();
    pair(&locks[next++]);
    *spent += now_ns() - start;
    pthread_mutex_unlock(&outer);
    return NULL;
}

static long edge_first_in_thread(void)
{
    long spent = 0;
    for (int i = 0; i < 200; i++) {
        pthread_t thread;
        pthread_create(&thread, NULL, first_edge, &spent);
        pthread_join(thread, NULL);
    }
    return spent / 200;
}

static const struct scenario {
    const char *name;
    long locks;
    long (*measure)(void);
} scenarios[] = {
    {"second100k", 100000, second100k},
    {"edge_known_place", 10000, edge_known_place},
    {"edge_new_place", 256, edge_new_place},
    {"edge_first_in_thread", 256, edge_first_in_thread},
};

static __attribute__((noinline)) long deeper(const struct scenario *s, int depth)
{
    long result = depth > 0 ? deeper(s, depth - 1) : s->measure();
    __asm__ volatile("" ::: "memory"); /* no tail call */
    return result;
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
        if (strcmp(argv[1], scenarios[i].name) != 0)
            continue;
        pthread_t thread;
        n_locks = scenarios[i].locks;
        locks = malloc((size_t)n_locks * sizeof *locks);
        for (long k = 0; k < n_locks; k++)
            locks[k] = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
        pthread_create(&thread, NULL, idle, NULL);
        printf("%ld\n", deeper(&scenarios[i], argc > 2 ? atoi(argv[2]) : 5));
        return 0;
    }
    fprintf(stderr, "usage: first SCENARIO [DEPTH]; scenarios:\n");
    for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++)
        fprintf(stderr, "  %s\n", scenarios[i].name);
    return 2;
}
