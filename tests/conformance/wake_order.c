/* Threads that fall asleep one after the other, for each kind of object, and in which order they
 * are let go: by plain, robust and priority-inheriting mutexes, a read-write lock, a semaphore, a
 * condition and a barrier, private and shared between processes. Whoever sleeps otherwise than the
 * program asked for, or is woken to sleep again, shows here. */
// quiet
#include "cases/asleep.h"
#include "tell.h"
#include <sched.h>
#include <semaphore.h>

enum { SLEEPERS = 5 };

static struct {
    pthread_mutex_t mutex;
    pthread_rwlock_t rwlock;
    pthread_cond_t condition;
    pthread_barrier_t barrier;
    sem_t semaphore;
} o;
static _Atomic pid_t tids[SLEEPERS];
static _Atomic int n_gone, order[SLEEPERS], is_open;
static const char *what;

static void gone(int me)
{
    order[n_gone++] = me;
}

static void by_mutex(int me)
{
    pthread_mutex_lock(&o.mutex);
    gone(me);
    pthread_mutex_unlock(&o.mutex);
}

static void by_rwlock(int me)
{
    pthread_rwlock_wrlock(&o.rwlock);
    gone(me);
    pthread_rwlock_unlock(&o.rwlock);
}

static void by_semaphore(int me)
{
    sem_wait(&o.semaphore);
    gone(me);
    sem_post(&o.semaphore);
}

/* Each lets the next one go. */
static void by_condition(int me)
{
    pthread_mutex_lock(&o.mutex);
    while (!is_open)
        pthread_cond_wait(&o.condition, &o.mutex);
    gone(me);
    pthread_cond_signal(&o.condition);
    pthread_mutex_unlock(&o.mutex);
}

static _Atomic int n_serial;

static void by_barrier(int me)
{
    n_serial += pthread_barrier_wait(&o.barrier) == PTHREAD_BARRIER_SERIAL_THREAD;
    n_gone++;
    (void)me;
}

static struct sleeper {
    void (*wait)(int me);
    int me;
} sleepers[SLEEPERS];

static void *sleep_once(void *argument)
{
    struct sleeper *sleeper = argument;

    tids[sleeper->me] = gettid();
    sleeper->wait(sleeper->me);
    return NULL;
}

/* One after the other, each asleep before the next begins; then `release`. */
static void queue_up(void (*wait)(int me), void (*release)(void), int n)
{
    pthread_t threads[SLEEPERS];
    char text[64] = "";

    n_gone = 0;
    for (int i = 0; i < n; i++) {
        tids[i] = 0;
        sleepers[i] = (struct sleeper){wait, i};
        pthread_create(&threads[i], NULL, sleep_once, &sleepers[i]);
        while (!tids[i])
            sched_yield();
        await_asleep(tids[i]);
    }
    release();
    for (int i = 0; i < n; i++)
        JOIN(threads[i]);
    for (int i = 0; i < n && wait != by_barrier; i++)
        sprintf(text + strlen(text), " %d", order[i]);
    say("%s:%s, %d gone", what, text, n_gone);
}

static void unlock_mutex(void)
{
    pthread_mutex_unlock(&o.mutex);
}

static void unlock_rwlock(void)
{
    pthread_rwlock_unlock(&o.rwlock);
}

static void post(void)
{
    sem_post(&o.semaphore);
}

static void open_and_signal(void)
{
    pthread_mutex_lock(&o.mutex);
    is_open = 1;
    pthread_cond_signal(&o.condition);
    pthread_mutex_unlock(&o.mutex);
}

static void meet(void)
{
    n_serial += pthread_barrier_wait(&o.barrier) == PTHREAD_BARRIER_SERIAL_THREAD;
}

static void mutexes(int protocol, int robust, int shared, const char *name)
{
    pthread_mutexattr_t attributes;

    what = name;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setprotocol(&attributes, protocol);
    pthread_mutexattr_setrobust(&attributes, robust);
    pthread_mutexattr_setpshared(&attributes, shared);
    TELL(pthread_mutex_init(&o.mutex, &attributes));
    LOCK(o.mutex);
    queue_up(by_mutex, unlock_mutex, SLEEPERS);
    pthread_mutex_destroy(&o.mutex);
}

static void others(int shared)
{
    pthread_rwlockattr_t of_rwlock;
    pthread_condattr_t of_condition;
    pthread_barrierattr_t of_barrier;

    what = shared ? "shared rwlock" : "rwlock";
    pthread_rwlockattr_init(&of_rwlock);
    pthread_rwlockattr_setpshared(&of_rwlock, shared);
    pthread_rwlock_init(&o.rwlock, &of_rwlock);
    pthread_rwlock_wrlock(&o.rwlock);
    queue_up(by_rwlock, unlock_rwlock, 2); /* of more the first two are let go in any order */
    pthread_rwlock_destroy(&o.rwlock);

    what = shared ? "shared semaphore" : "semaphore";
    sem_init(&o.semaphore, shared, 0);
    queue_up(by_semaphore, post, SLEEPERS);
    sem_destroy(&o.semaphore);

    what = shared ? "shared condition" : "condition";
    pthread_condattr_init(&of_condition);
    pthread_condattr_setpshared(&of_condition, shared);
    pthread_mutex_init(&o.mutex, NULL);
    pthread_cond_init(&o.condition, &of_condition);
    is_open = 0;
    queue_up(by_condition, open_and_signal, SLEEPERS);
    pthread_cond_destroy(&o.condition);
    pthread_mutex_destroy(&o.mutex);

    what = shared ? "shared barrier" : "barrier";
    pthread_barrierattr_init(&of_barrier);
    pthread_barrierattr_setpshared(&of_barrier, shared);
    pthread_barrier_init(&o.barrier, &of_barrier, SLEEPERS + 1);
    n_serial = 0;
    queue_up(by_barrier, meet, SLEEPERS);
    say("told so: %d", n_serial);
    pthread_barrier_destroy(&o.barrier);
}

int main(void)
{
    for (int shared = PTHREAD_PROCESS_PRIVATE; shared <= PTHREAD_PROCESS_SHARED; shared++) {
        mutexes(PTHREAD_PRIO_NONE, PTHREAD_MUTEX_STALLED, shared, "plain mutex");
        mutexes(PTHREAD_PRIO_NONE, PTHREAD_MUTEX_ROBUST, shared, "robust mutex");
        mutexes(PTHREAD_PRIO_INHERIT, PTHREAD_MUTEX_STALLED, shared, "inheriting mutex");
        mutexes(PTHREAD_PRIO_INHERIT, PTHREAD_MUTEX_ROBUST, shared, "robust inheriting mutex");
        others(shared);
    }
    return 0;
}
