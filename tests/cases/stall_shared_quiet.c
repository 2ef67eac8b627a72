// All threads here wait for what lies in memory shared with another process, which ends the waits
// when a stall would have been told: a mutex, a condition, a semaphore and a barrier.
// options: stall_after=1
#include "case.h"
#include <semaphore.h>
#include <sys/mman.h>
#include <sys/wait.h>
static struct shared {
    pthread_mutex_t mutex, of_condition;
    pthread_cond_t condition;
    sem_t semaphore;
    pthread_barrier_t barrier;
    int go, steps;
} * shared;

static void make_shared(void)
{
    pthread_mutexattr_t m;
    pthread_condattr_t c;
    pthread_barrierattr_t b;
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_mutexattr_init(&m);
    pthread_mutexattr_setpshared(&m, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(&shared->mutex, &m);
    pthread_mutex_init(&shared->of_condition, &m);
    pthread_condattr_init(&c);
    pthread_condattr_setpshared(&c, PTHREAD_PROCESS_SHARED);
    pthread_cond_init(&shared->condition, &c);
    pthread_barrierattr_init(&b);
    pthread_barrierattr_setpshared(&b, PTHREAD_PROCESS_SHARED);
    pthread_barrier_init(&shared->barrier, &b, 2);
    sem_init(&shared->semaphore, 1, 0);
}

static void shared_step(int n)
{
    __atomic_store_n(&shared->steps, n, __ATOMIC_SEQ_CST);
}

static void shared_await(int n)
{
    while (__atomic_load_n(&shared->steps, __ATOMIC_SEQ_CST) < n)
        usleep(1000);
}

/* Each is let go well after the time of a stall. */
static void other_process(void)
{
    pthread_mutex_lock(&shared->mutex);
    shared_step(1);
    usleep(1500000);
    pthread_mutex_unlock(&shared->mutex);
    shared_await(2);
    usleep(1500000);
    pthread_mutex_lock(&shared->of_condition);
    shared->go = 1;
    pthread_cond_signal(&shared->condition);
    pthread_mutex_unlock(&shared->of_condition);
    shared_await(3);
    usleep(1500000);
    sem_post(&shared->semaphore);
    shared_await(4);
    usleep(1500000);
    pthread_barrier_wait(&shared->barrier);
    _exit(0);
}

int main(void)
{
    make_shared();
    pid_t child = fork();
    if (child == 0)
        other_process();
    shared_await(1);
    pthread_mutex_lock(&shared->mutex);
    pthread_mutex_lock(&shared->of_condition);
    shared_step(2);
    while (!shared->go)
        pthread_cond_wait(&shared->condition, &shared->of_condition);
    pthread_mutex_unlock(&shared->of_condition);
    pthread_mutex_unlock(&shared->mutex);
    shared_step(3);
    sem_wait(&shared->semaphore);
    shared_step(4);
    pthread_barrier_wait(&shared->barrier);
    return waitpid(child, NULL, 0) != child;
}
