// A pool that starts its threads under its locks, and waits for each to say that it runs.
#include "case.h"
static pthread_mutex_t queue = PTHREAD_MUTEX_INITIALIZER, control = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int has_started, is_over;

static void worker(void)
{
    LOCK(control);
    has_started = 1;
    pthread_cond_signal(&changed);
    UNLOCK(control);
    LOCK(queue);
    LOCK(control);
    while (!is_over) {
        step();
        pthread_cond_wait(&changed, &queue);
    }
    UNLOCK(queue);
    UNLOCK(control);
}

int main(void)
{
    name_main();
    LOCK(control);
    LOCK(queue);
    pthread_t t = spawn("worker", worker);
    while (!has_started)
        pthread_cond_wait(&changed, &control);
    UNLOCK(queue);
    UNLOCK(control);
    await(1);
    LOCK(queue);
    is_over = 1;
    pthread_cond_signal(&changed);
    UNLOCK(queue);
    JOIN(t);
    return 0;
}
