/*
 * Takes locks in one order, as a test or program of a project does: its words are the argument.
 *   named_orders assoc    M, then X, then C, in a thread
 *   named_orders lru      X, then C
 *   named_orders crawler  C, then M
 *   named_orders test     M, then C, in the test "Lookup"
 *   named_orders main     C, then M, by the main thread
 *   named_orders named    M, then C, by the main thread, which calls itself "elsewhere"
 */
#include "interpose/include/dlwatch.h"

#include <pthread.h>
#include <string.h>

static pthread_mutex_t M = PTHREAD_MUTEX_INITIALIZER, X = PTHREAD_MUTEX_INITIALIZER,
                       C = PTHREAD_MUTEX_INITIALIZER;

static void take(pthread_mutex_t *first, pthread_mutex_t *second)
{
    pthread_mutex_lock(first);
    pthread_mutex_lock(second);
    pthread_mutex_unlock(second);
    pthread_mutex_unlock(first);
}

static void *assoc(void *arg)
{
    pthread_setname_np(pthread_self(), "assoc");
    pthread_mutex_lock(&M);
    take(&X, &C);
    pthread_mutex_unlock(&M);
    return arg;
}

static void *lru(void *arg)
{
    pthread_setname_np(pthread_self(), "lru");
    take(&X, &C);
    return arg;
}

static void *crawler(void *arg)
{
    pthread_setname_np(pthread_self(), "crawler");
    take(&C, &M);
    return arg;
}

static void *test(void *arg)
{
    pthread_setname_np(pthread_self(), "tester");
    dlwatch_scope("Lookup");
    take(&M, &C);
    dlwatch_scope(NULL);
    return arg;
}

static void run(void *(*start)(void *))
{
    pthread_t thread;
    pthread_create(&thread, NULL, start, NULL);
    pthread_join(thread, NULL);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "assoc") == 0)
            run(assoc);
        if (strcmp(argv[i], "lru") == 0)
            run(lru);
        if (strcmp(argv[i], "crawler") == 0)
            run(crawler);
        if (strcmp(argv[i], "test") == 0)
            run(test);
        if (strcmp(argv[i], "named") == 0) {
            pthread_setname_np(pthread_self(), "elsewhere");
            take(&M, &C);
        }
        if (strcmp(argv[i], "main") == 0)
            take(&C, &M);
    }
    return 0;
}
