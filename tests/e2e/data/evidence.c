/*
 * evidence WORK…: a thread for each, all there at once, and each does its work in turn: nothing but
 * a number in memory keeps them apart, so what two of them do counts as what could meet.
 */
#include <pthread.h>
#include <sched.h>
#include <string.h>

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER,
                       c = PTHREAD_MUTEX_INITIALIZER;
static int turn;

static void await(void *number)
{
    while (__atomic_load_n(&turn, __ATOMIC_SEQ_CST) != (int)(size_t)number)
        sched_yield();
}

static void *done(void)
{
    __atomic_fetch_add(&turn, 1, __ATOMIC_SEQ_CST);
    return NULL;
}

static void nest(pthread_mutex_t *outer, pthread_mutex_t *inner)
{
    pthread_mutex_lock(outer);
    pthread_mutex_lock(inner);
    pthread_mutex_unlock(inner);
    pthread_mutex_unlock(outer);
}

#define WORK(name, ...)                                                                            \
    static void *name(void *number)                                                                \
    {                                                                                              \
        await(number);                                                                             \
        __VA_ARGS__                                                                                \
        return done();                                                                             \
    }
WORK(there_and_back, nest(&a, &b); nest(&b, &a);)
WORK(there, nest(&a, &b);)
WORK(back, nest(&b, &a);)
WORK(on, nest(&b, &c);)
WORK(there_and_on, nest(&a, &b); nest(&b, &c);)
WORK(home, nest(&c, &a);)

static const struct {
    const char *name;
    void *(*work)(void *);
} works[] = {{"there_and_back", there_and_back}, {"there", there}, {"back", back}, {"on", on},
             {"there_and_on", there_and_on},     {"home", home}};

int main(int argc, char **argv)
{
    pthread_t threads[16];
    int n = argc - 1 < 16 ? argc - 1 : 16;
    for (int i = 0; i < n; i++)
        for (size_t k = 0; k < sizeof works / sizeof *works; k++)
            if (strcmp(works[k].name, argv[i + 1]) == 0)
                pthread_create(&threads[i], NULL, works[k].work, (void *)(size_t)i);
    for (int i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
