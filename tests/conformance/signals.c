/* Signals during waits: locks and joins go on, handlers may post and run on an alternate stack. */
// quiet
#include "tell.h"
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER, n = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t l = PTHREAD_RWLOCK_INITIALIZER;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
static sem_t posted;
static int handled, ready;
static __thread sigjmp_buf back;

static void count(int number)
{
    (void)number;
    __atomic_fetch_add(&handled, 1, __ATOMIC_SEQ_CST);
}

static void post(int number)
{
    (void)number;
    sem_post(&posted);
}

static void jump(int number)
{
    (void)number;
    siglongjmp(back, 1);
}

static void lock_waiter(void)
{
    step();
    TELL(pthread_mutex_lock(&m));
    TELL(pthread_mutex_lock(&n));
    UNLOCK(n);
    UNLOCK(m);
    TELL(pthread_rwlock_rdlock(&l));
    TELL(pthread_rwlock_unlock(&l));
    LOCK(m);
    while (!ready)
        pthread_cond_wait(&c, &m);
    UNLOCK(m);
}

static void bother(pthread_t t, int times)
{
    for (int i = 0; i < times; i++) {
        pthread_kill(t, SIGUSR1);
        sched_yield();
    }
}

static void locks_go_on(void)
{
    LOCK(m);
    WRLOCK(l);
    pthread_t t = spawn("waiter", lock_waiter);
    await(1);
    bother(t, 100);
    UNLOCK(m);
    bother(t, 100);
    RWUNLOCK(l);
    bother(t, 100);
    LOCK(m);
    ready = 1;
    pthread_cond_signal(&c);
    UNLOCK(m);
    TELL(pthread_join(t, NULL));
    say("handled some: %d", __atomic_load_n(&handled, __ATOMIC_SEQ_CST) > 0);
}

static void post_from_handler(void)
{
    struct sigaction action = {.sa_handler = post, .sa_flags = SA_RESTART | SA_ONSTACK};
    static char stack[65536];
    stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
    sigaltstack(&alternate, NULL);
    sem_init(&posted, 0, 0);
    sigaction(SIGUSR2, &action, NULL);
    raise(SIGUSR2);
    TELL(sem_wait(&posted));
}

static void jump_out_of_a_wait(void)
{
    sem_t s;
    struct sigaction action = {.sa_handler = jump};
    sem_init(&s, 0, 0);
    sigaction(SIGALRM, &action, NULL);
    if (sigsetjmp(back, 1) == 0) {
        ualarm(1000, 0);
        sem_wait(&s);
    }
    say("jumped out");
    TELL(pthread_mutex_lock(&m));
    TELL(pthread_mutex_lock(&n));
    TELL(pthread_mutex_unlock(&n));
    TELL(pthread_mutex_unlock(&m));
}

int main(void)
{
    struct sigaction action = {.sa_handler = count};
    sigaction(SIGUSR1, &action, NULL);
    locks_go_on();
    post_from_handler();
    jump_out_of_a_wait();
    return 0;
}
