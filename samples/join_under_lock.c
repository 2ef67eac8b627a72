/*
 * Shutting down: main takes the lock, so that nothing changes any more, and waits for
 * the worker to end. The worker wants that lock once more before it can end.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>

static pthread_mutex_t state_lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_int shutting_down;
static int jobs_done;

static void *work(void *arg)
{
    pthread_setname_np(pthread_self(), "worker");
    while (!atomic_load(&shutting_down))
        sched_yield();
    pthread_mutex_lock(&state_lock);
    jobs_done++;
    pthread_mutex_unlock(&state_lock);
    return arg;
}

static void shut_down(pthread_t worker)
{
    pthread_mutex_lock(&state_lock);
    atomic_store(&shutting_down, 1);
    pthread_join(worker, NULL);
    pthread_mutex_unlock(&state_lock);
}

int main(void)
{
    pthread_t worker;
    pthread_create(&worker, NULL, work, NULL);
    shut_down(worker);
    printf("%d jobs done\n", jobs_done);
    return 0;
}
