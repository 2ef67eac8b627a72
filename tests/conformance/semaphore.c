/* Every semaphore call in every outcome. */
// quiet
#include "tell.h"
#include <fcntl.h>
#include <limits.h>
#include <semaphore.h>
#include <signal.h>

static sem_t s;
static int interrupted;

static void on_signal(int number)
{
    (void)number;
}

static void wait_interrupted(void)
{
    int result, error;
    step();
    errno = UNTOUCHED;
    result = sem_wait(&s);
    error = errno;
    tell("sem_wait, interrupted", result, error);
    errno = UNTOUCHED;
    result = sem_timedwait(&s, from_now(CLOCK_REALTIME, 60000));
    error = errno;
    tell("sem_timedwait, interrupted", result, error);
    __atomic_store_n(&interrupted, 1, __ATOMIC_SEQ_CST);
}

static void interrupt(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGUSR1, &action, NULL);
    pthread_t t = spawn("waiter", wait_interrupted);
    await(1);
    while (!__atomic_load_n(&interrupted, __ATOMIC_SEQ_CST)) {
        pthread_kill(t, SIGUSR1);
        sched_yield();
    }
    JOIN(t);
}

static void values(void)
{
    int value = -1;
    TELL(sem_init(&s, 0, 2));
    TELL(sem_wait(&s));
    TELL(sem_trywait(&s));
    TELL(sem_trywait(&s));
    TELL(sem_timedwait(&s, &past));
    TELL(sem_timedwait(&s, from_now(CLOCK_REALTIME, 5)));
    TELL(sem_timedwait(&s, &crooked));
    TELL(sem_clockwait(&s, CLOCK_MONOTONIC, &past));
    TELL(sem_clockwait(&s, CLOCK_PROCESS_CPUTIME_ID, &past));
    TELL(sem_post(&s));
    TELL(sem_getvalue(&s, &value));
    TELL(sem_clockwait(&s, CLOCK_MONOTONIC, from_now(CLOCK_MONOTONIC, 1000)));
    say("value was %d", value);
}

static void named(void)
{
    char name[64];
    snprintf(name, sizeof name, "/dlw-conformance-%d", getpid());
    sem_unlink(name);
    sem_t *a = sem_open(name, O_CREAT | O_EXCL, 0600, 1);
    say("opened %d, again %d, missing %d", a != SEM_FAILED,
        sem_open(name, O_CREAT | O_EXCL, 0600, 1) != SEM_FAILED,
        sem_open("/dlw-conformance-missing", 0) != SEM_FAILED);
    say("the same address: %d", sem_open(name, 0) == a);
    TELL(sem_wait(a));
    TELL(sem_trywait(a));
    TELL(sem_post(a));
    TELL(sem_close(a));
    TELL(sem_close(a));
    TELL(sem_unlink(name));
    TELL(sem_unlink(name));
}

int main(void)
{
    values();
    interrupt();
    TELL(sem_destroy(&s));
    TELL(sem_init(&s, 0, (unsigned)SEM_VALUE_MAX + 1));
    TELL(sem_init(&s, 1, SEM_VALUE_MAX));
    TELL(sem_post(&s));
    TELL(sem_destroy(&s));
    named();
    return 0;
}
