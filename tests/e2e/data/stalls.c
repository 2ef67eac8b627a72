/*
 * Ways to wait for ever, by the argument:
 *   stalls never     nobody signals
 *   stalls before    signalled twice by main, then waited for
 *   stalls after     two wait, one signal: it wakes one of them
 *   stalls barrier   two come to a barrier for three
 *   stalls heap      as before, but the condition has no name
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t ready = PTHREAD_COND_INITIALIZER;
static pthread_cond_t *condition = &ready;
static pthread_barrier_t meeting;
static int waiting;

static void *wait_for_it(void *arg)
{
    pthread_mutex_lock(&lock);
    waiting++;
    pthread_cond_wait(condition, &lock);
    pthread_mutex_unlock(&lock);
    return arg;
}

static void *meet(void *arg)
{
    pthread_barrier_wait(&meeting);
    return arg;
}

static void announce(void)
{
    pthread_mutex_lock(&lock);
    pthread_cond_signal(condition);
    pthread_mutex_unlock(&lock);
}

/* Who has the lock then knows that they sleep. */
static void await_waiting(int n)
{
    for (int seen = 0; seen < n;) {
        pthread_mutex_lock(&lock);
        seen = waiting;
        pthread_mutex_unlock(&lock);
    }
}

int main(int argc, char **argv)
{
    pthread_t threads[2];
    const char *way = argc > 1 ? argv[1] : "";
    void *(*start)(void *) = strcmp(way, "barrier") == 0 ? meet : wait_for_it;
    if (strcmp(way, "heap") == 0) {
        condition = malloc(sizeof(*condition));
        pthread_cond_init(condition, NULL);
    }
    if (strcmp(way, "before") == 0 || strcmp(way, "heap") == 0) {
        announce();
        announce();
    }
    pthread_barrier_init(&meeting, NULL, 3);
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, start, NULL);
    if (strcmp(way, "after") == 0) {
        await_waiting(2);
        announce();
    }
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
