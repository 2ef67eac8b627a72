/* Signal handlers that lock: a try, a lock of their own with all signals blocked, a semaphore on
 * their stack. They come at any instruction of the locks of the threads that they interrupt. */
// quiet
#include "tell.h"
#include <semaphore.h>
#include <signal.h>

enum { THREADS = 3, SIGNALS = 20000 };

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t tried = PTHREAD_MUTEX_INITIALIZER, locked = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t l = PTHREAD_RWLOCK_INITIALIZER;
static int sent[THREADS], handled[THREADS], wrong, over;
static __thread int self;

static void try_it(void)
{
    if (pthread_mutex_trylock(&tried) == 0)
        wrong += pthread_mutex_unlock(&tried) != 0;
}

static void lock_it(void)
{
    wrong += pthread_mutex_lock(&locked) != 0;
    wrong += pthread_mutex_unlock(&locked) != 0;
}

static void wait_for_it(void)
{
    sem_t own;

    wrong += sem_init(&own, 0, 1) != 0;
    wrong += sem_wait(&own) != 0;
    wrong += sem_post(&own) != 0;
    wrong += sem_destroy(&own) != 0;
}

static void handle(int number)
{
    int kept = errno;

    (void)number;
    switch (handled[self] % 3) {
    case 0:
        try_it();
        break;
    case 1:
        lock_it();
        break;
    default:
        wait_for_it();
    }
    __atomic_fetch_add(&handled[self], 1, __ATOMIC_SEQ_CST);
    errno = kept;
}

static void work(void)
{
    static int n;

    self = __atomic_fetch_add(&n, 1, __ATOMIC_SEQ_CST);
    step();
    while (!__atomic_load_n(&over, __ATOMIC_SEQ_CST)) {
        LOCK(a);
        LOCK(b);
        UNLOCK(a);
        UNLOCK(b);
        RDLOCK(l);
        RWUNLOCK(l);
    }
}

/* None while one is pending: it would be merged with that. */
static int send_to_those_that_handled(const pthread_t *threads)
{
    int n = 0;

    for (int i = 0; i < THREADS; i++)
        if (__atomic_load_n(&handled[i], __ATOMIC_SEQ_CST) == sent[i]) {
            sent[i]++;
            n++;
            pthread_kill(threads[i], SIGUSR1);
        }
    if (n == 0)
        sched_yield();
    return n;
}

int main(void)
{
    struct sigaction action = {.sa_handler = handle, .sa_flags = SA_RESTART};
    pthread_t threads[THREADS];

    sigfillset(&action.sa_mask);
    sigaction(SIGUSR1, &action, NULL);
    for (int i = 0; i < THREADS; i++) {
        threads[i] = spawn("worker", work);
        await(i + 1);
    }
    for (int n = 0; n < SIGNALS;)
        n += send_to_those_that_handled(threads);
    __atomic_store_n(&over, 1, __ATOMIC_SEQ_CST);
    for (int i = 0; i < THREADS; i++)
        TELL(JOIN(threads[i]));
    say("wrong: %d", wrong);
    return 0;
}
