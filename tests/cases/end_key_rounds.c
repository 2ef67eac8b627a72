// Locks taken by destructors of thread-specific data, in the last of four rounds, are watched.
#include "case.h"
#include <limits.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static pthread_key_t first, last;
static __thread int rounds;
static atomic_bool is_done; // they never meet, but for dlwatch they could

static void nested(pthread_mutex_t *outer, pthread_mutex_t *inner)
{
    LOCK(*outer);
    LOCK(*inner);
    UNLOCK(*inner);
    UNLOCK(*outer);
}

static void keep(void *value)
{
    pthread_setspecific(first, value);
}

static void take(void *value)
{
    if (++rounds < PTHREAD_DESTRUCTOR_ITERATIONS)
        pthread_setspecific(last, value);
    else {
        nested(&a, &b);
        atomic_store(&is_done, true);
    }
}

static void in_destructors(void)
{
    pthread_setspecific(first, &first);
    pthread_setspecific(last, &last);
}

static void as_ever(void)
{
    while (!atomic_load(&is_done))
        sched_yield();
    nested(&b, &a);
}

int main(void)
{
    name_main();
    pthread_key_create(&first, keep);
    pthread_key_create(&last, take);
    pthread_t t = spawn("destructors", in_destructors), u = spawn("as ever", as_ever);
    JOIN(t);
    JOIN(u);
    return 0;
}
