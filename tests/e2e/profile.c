/* Locks whose cost is known: one that is taken a thousand times, and once more while its keeper
 * holds it until somebody sleeps for it; one of an object; and what a forked child takes. */
#include "tests/cases/asleep.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

struct object {
    int value;
    pthread_mutex_t lock;
};

static pthread_mutex_t hot = PTHREAD_MUTEX_INITIALIZER;
static atomic_int asker;
static atomic_bool is_kept;

static void pass(void)
{
    pthread_mutex_lock(&hot);
    pthread_mutex_unlock(&hot);
}

static void ask(void)
{
    pthread_mutex_lock(&hot);
    pthread_mutex_unlock(&hot);
}

static void *ask_for_it(void *unused)
{
    while (!is_kept)
        sched_yield();
    asker = gettid();
    ask();
    return unused;
}

static void keep(void)
{
    pthread_mutex_lock(&hot);
    is_kept = true;
    while (!asker)
        sched_yield();
    await_asleep(asker);
    pthread_mutex_unlock(&hot);
}

static void *keep_it(void *unused)
{
    pthread_setname_np(pthread_self(), "keeper");
    keep();
    return unused;
}

static void change(struct object *object)
{
    pthread_mutex_lock(&object->lock);
    object->value++;
    pthread_mutex_unlock(&object->lock);
}

int main(void)
{
    struct object *object = malloc(sizeof(*object));
    pthread_t threads[2];

    pthread_mutex_init(&object->lock, NULL);
    for (int i = 0; i < 1000; i++)
        pass();
    for (int i = 0; i < 7; i++)
        change(object);
    pid_t child = fork();
    if (child == 0) {
        for (int i = 0; i < 5; i++)
            pass();
        exit(0);
    }
    waitpid(child, NULL, 0);
    pthread_create(&threads[0], NULL, keep_it, NULL);
    pthread_create(&threads[1], NULL, ask_for_it, NULL);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    return 0;
}
