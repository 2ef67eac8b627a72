/* All at once: signals that restart rain on threads that pass plain, inheriting and robust mutexes,
 * conditions, semaphores and barriers, meet new orders, and end with a robust mutex in hand, while
 * the process forks and threads are cancelled. The sums are what they are without all that. */
// quiet
#include "tell.h"
#include <semaphore.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

enum { PLAYERS = 4, ROUNDS = 300, CHILDREN = 20, DEATHS = 20, CANCELS = 20 };

static pthread_mutex_t plain = PTHREAD_MUTEX_INITIALIZER, inheriting, robust;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t barrier;
static sem_t semaphore, never;
static int n_plain, n_inheriting, n_posted, n_turns, n_serial, n_dead, turn;
static _Atomic int n_handled, is_over;
static pthread_t players[PLAYERS]; /* joined once the rain is over */

static void handle(int number)
{
    int kept = errno;
    sem_t own;

    (void)number;
    sem_init(&own, 0, 1);
    sem_wait(&own);
    sem_post(&own);
    n_handled++;
    errno = kept;
}

static void lock_robust(void)
{
    if (pthread_mutex_lock(&robust) == EOWNERDEAD) {
        n_dead++;
        pthread_mutex_consistent(&robust);
    }
}

static void add(pthread_mutex_t *mutex, int *sum)
{
    pthread_mutex_lock(mutex);
    ++*sum;
    pthread_mutex_unlock(mutex);
}

static void meet_new_order(void)
{
    pthread_mutex_t pair[2];

    pthread_mutex_init(&pair[0], NULL);
    pthread_mutex_init(&pair[1], NULL);
    pthread_mutex_lock(&pair[0]);
    pthread_mutex_lock(&pair[1]);
    pthread_mutex_unlock(&pair[1]);
    pthread_mutex_unlock(&pair[0]);
    pthread_mutex_destroy(&pair[1]);
    pthread_mutex_destroy(&pair[0]);
}

static void take_turn(int me)
{
    LOCK(plain);
    while (turn % PLAYERS != me)
        pthread_cond_wait(&condition, &plain);
    turn++;
    n_turns++;
    pthread_cond_broadcast(&condition);
    UNLOCK(plain);
}

static void play_round(int me)
{
    add(&plain, &n_plain);
    add(&inheriting, &n_inheriting);
    lock_robust();
    pthread_mutex_unlock(&robust);
    while (sem_wait(&semaphore) != 0)
        say("interrupted");
    n_posted++;
    sem_post(&semaphore);
    meet_new_order();
    take_turn(me);
    int met = pthread_barrier_wait(&barrier);
    if (met == PTHREAD_BARRIER_SERIAL_THREAD)
        n_serial++;
    else if (met != 0)
        say("barrier: %d", met);
    pthread_barrier_wait(&barrier);
}

static void *play(void *me)
{
    for (int i = 0; i < ROUNDS; i++)
        play_round((int)(long)me);
    return NULL;
}

static void rain(void)
{
    while (!is_over) {
        for (int i = 0; i < PLAYERS; i++)
            pthread_kill(players[i], SIGUSR1);
        sched_yield();
    }
}

static void *die(void *unused)
{
    lock_robust();
    return unused;
}

static void *sleep_for_ever(void *unused)
{
    for (;;)
        sem_wait(&never);
    return unused;
}

static int fork_once(void)
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        meet_new_order();
        aside(meet_new_order);
        _exit(7);
    }
    return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 7;
}

static void start(void)
{
    struct sigaction action = {.sa_handler = handle, .sa_flags = SA_RESTART};
    pthread_mutexattr_t attributes;

    sigaction(SIGUSR1, &action, NULL);
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
    pthread_mutex_init(&inheriting, &attributes);
    pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_NONE);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&robust, &attributes);
    pthread_barrier_init(&barrier, NULL, PLAYERS);
    sem_init(&semaphore, 0, 1);
    sem_init(&never, 0, 0);
}

int main(void)
{
    int forked = 0, cancelled = 0;
    pthread_t t, rainer;
    void *value;

    start();
    for (long i = 0; i < PLAYERS; i++)
        pthread_create(&players[i], NULL, play, (void *)i);
    rainer = spawn("rain", rain);
    for (int i = 0; i < CHILDREN; i++)
        forked += fork_once();
    for (int i = 0; i < DEATHS; i++) {
        pthread_create(&t, NULL, die, NULL);
        JOIN(t);
    }
    for (int i = 0; i < CANCELS; i++) {
        pthread_create(&t, NULL, sleep_for_ever, NULL);
        pthread_cancel(t);
        pthread_join(t, &value);
        cancelled += value == PTHREAD_CANCELED;
    }
    is_over = 1;
    JOIN(rainer);
    for (int i = 0; i < PLAYERS; i++)
        JOIN(players[i]);
    lock_robust(); /* after the last one who died */
    pthread_mutex_unlock(&robust);
    say("plain %d, inheriting %d, posted %d, turns %d, serial %d", n_plain, n_inheriting, n_posted,
        n_turns, n_serial);
    say("dead %d, forked %d, cancelled %d, handled some %d", n_dead, forked, cancelled,
        n_handled > 0);
    return 0;
}
