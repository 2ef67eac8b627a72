// options: stall_after=1
// Each kind of wait outlives the time after which a stall is looked for, is looked at, and goes on
// as the program began it: no error, no early return, and no call that comes later is interrupted.
#include "case.h"
#include <semaphore.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_barrier_t barrier;
static sem_t released;
static int ready;

static void on_signal(int number)
{
    (void)number;
    sem_post(&released);
}

static void check(const char *what, int result)
{
    if (result)
        printf("%s: %s\n", what, strerror(result));
}

static void wait_for_release(void)
{
    while (sem_wait(&released))
        printf("interrupted\n");
    sem_post(&released); /* for the next one */
}

static void routine(void)
{
    step();
    wait_for_release();
}

static void mutex_holder(void)
{
    LOCK(gate);
    step();
    wait_for_release();
    UNLOCK(gate);
}

static void reader(void)
{
    RDLOCK(rw);
    step();
    wait_for_release();
    RWUNLOCK(rw);
}

static void once_runner(void)
{
    pthread_once(&once, routine);
}

static void signaller(void)
{
    step();
    wait_for_release();
    LOCK(m);
    ready = 1;
    pthread_cond_broadcast(&c);
    UNLOCK(m);
    pthread_barrier_wait(&barrier);
}

static void mutex_waiter(void)
{
    await(4);
    check("mutex", LOCK(gate));
    UNLOCK(gate);
}

static void writer(void)
{
    await(4);
    check("rwlock", WRLOCK(rw));
    RWUNLOCK(rw);
}

static void once_waiter(void)
{
    await(4);
    check("once", pthread_once(&once, routine));
}

static void condition_waiter(void)
{
    await(4);
    LOCK(m);
    while (!ready)
        check("condition", pthread_cond_wait(&c, &m));
    UNLOCK(m);
    pthread_barrier_wait(&barrier);
    struct timespec moment = {0, 200000000};
    check("sleep", nanosleep(&moment, NULL));
}

int main(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    void (*plays[])(void) = {mutex_holder, reader,      once_runner,      signaller,
                             mutex_waiter, once_waiter, condition_waiter, writer};
    enum { N = sizeof plays / sizeof *plays };
    pthread_t threads[N];

    sem_init(&released, 0, 0);
    pthread_barrier_init(&barrier, NULL, 2);
    sigaction(SIGUSR1, &action, NULL);
    pid_t child = fork();
    if (child == 0) { /* what wakes them comes from outside, behind the time */
        sleep(3);
        kill(getppid(), SIGUSR1);
        _exit(0);
    }
    for (int i = 0; i < N; i++)
        threads[i] = spawn("waiter", plays[i]);
    for (int i = 0; i < N; i++)
        check("join", JOIN(threads[i]));
    check("child", waitpid(child, NULL, 0) == child ? 0 : errno);
    return 0;
}
