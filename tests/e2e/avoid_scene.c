/*
 * A ring of threads, each of which takes its lock and then its neighbour's, some ms apart: all
 * begin at once (a barrier outside the locks), so that most runs end in a deadlock by timing alone.
 *
 * avoid_scene KIND LENGTH ROUNDS [HOW]: prints what the threads have done. KIND is what the locks
 * are and how they are taken. HOW they are unlike that, at the same places:
 *
 * - meet: they wait for each other between their two locks, so that no order avoids it;
 * - only: they meet there and take no second lock, so that it is in vain to wait for one of them;
 * - outer: the last has another lock around both, which the first takes between its two;
 * - wait: the first waits with its first lock for a signal of the last, which comes to its own
 * then;
 * - disjoint: two pairs of locks, of which one is busy;
 * - try: the first lock is had by a try;
 * - fork: a child that is forked between the two locks takes two others.
 */
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST = 8 };

static pthread_mutex_t mutexes[MOST];
static pthread_rwlock_t rwlocks[MOST];
static pthread_spinlock_t spins[MOST];
static sem_t semaphores[MOST];
static const char *kind;
static const char *how = "";
static int length, rounds;
static pthread_barrier_t start, middle;
static long done[MOST];

static int is(const char *word)
{
    return strcmp(kind, word) == 0;
}

static int is_mutex(void)
{
    return is("mutex") || is("recursive") || is("adaptive") || is("errorcheck") || is("helper");
}

static int goes(const char *word)
{
    return strcmp(how, word) == 0;
}

static pthread_mutex_t outer = PTHREAD_MUTEX_INITIALIZER;
static void by_mutex(int me, int next);

static void in_a_child(void)
{
    pid_t child = fork();

    if (child == 0) {
        how = "";
        by_mutex(4, 5);
        _exit(0);
    }
    waitpid(child, NULL, 0);
}

static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool has_changed;

static void wait_with(int i)
{
    while (!has_changed)
        pthread_cond_wait(&changed, &mutexes[i]);
}

static void apart(int me)
{
    if (goes("wait") && me == 0) {
        pthread_barrier_wait(&middle);
        wait_with(0);
    }
    if (goes("meet") || goes("only"))
        pthread_barrier_wait(&middle);
    else if (!goes("disjoint"))
        usleep(3000);
    if (goes("fork"))
        in_a_child();
    if (goes("outer") && me == 0) {
        pthread_barrier_wait(&middle); /* the last has it */
        pthread_mutex_lock(&outer);
        pthread_mutex_unlock(&outer);
    }
}

static void between(int me, int next)
{
    if (goes("wait") && next == 0) {
        has_changed = true;
        pthread_cond_signal(&changed);
    }
    done[me]++;
    done[next]++;
}

static __attribute__((noinline)) void my_lock(int i)
{
    pthread_mutex_lock(&mutexes[i]);
}

static void by_mutex(int me, int next)
{
    if (!goes("try") || pthread_mutex_trylock(&mutexes[me]) != 0)
        pthread_mutex_lock(&mutexes[me]);
    apart(me);
    if (!goes("only")) {
        pthread_mutex_lock(&mutexes[next]);
        between(me, next);
        pthread_mutex_unlock(&mutexes[next]);
    }
    pthread_mutex_unlock(&mutexes[me]);
}

static void by_helper(int me, int next)
{
    my_lock(me);
    apart(me);
    my_lock(next);
    between(me, next);
    pthread_mutex_unlock(&mutexes[me]); /* in the order taken */
    pthread_mutex_unlock(&mutexes[next]);
}

/* A recursive one is had twice, and let go of once in between. */
static void by_recursive(int me, int next)
{
    pthread_mutex_lock(&mutexes[me]);
    pthread_mutex_lock(&mutexes[me]);
    apart(me);
    pthread_mutex_unlock(&mutexes[me]);
    pthread_mutex_lock(&mutexes[next]);
    between(me, next);
    pthread_mutex_unlock(&mutexes[next]);
    pthread_mutex_unlock(&mutexes[me]);
}

/* Reads its own and writes the next one. */
static void by_rwlock(int me, int next)
{
    if (is("writer"))
        pthread_rwlock_wrlock(&rwlocks[me]);
    else
        pthread_rwlock_rdlock(&rwlocks[me]);
    apart(me);
    pthread_rwlock_wrlock(&rwlocks[next]);
    between(me, next);
    pthread_rwlock_unlock(&rwlocks[next]);
    pthread_rwlock_unlock(&rwlocks[me]);
}

static void by_spin(int me, int next)
{
    pthread_spin_lock(&spins[me]);
    apart(me);
    pthread_spin_lock(&spins[next]);
    between(me, next);
    pthread_spin_unlock(&spins[next]);
    pthread_spin_unlock(&spins[me]);
}

static void by_semaphore(int me, int next)
{
    sem_wait(&semaphores[me]);
    apart(me);
    sem_wait(&semaphores[next]);
    between(me, next);
    sem_post(&semaphores[next]);
    sem_post(&semaphores[me]);
}

static void take_two(int me, int next)
{
    if (is("recursive"))
        by_recursive(me, next);
    else if (is("helper"))
        by_helper(me, next);
    else if (is_mutex())
        by_mutex(me, next);
    else if (is("reader") || is("writer"))
        by_rwlock(me, next);
    else if (is("spin"))
        by_spin(me, next);
    else
        by_semaphore(me, next);
}

static void *work(void *argument)
{
    int me = (int)(long)argument;

    for (int i = 0; i < rounds; i++) {
        bool has_outer = goes("outer") && me == length - 1;
        pthread_barrier_wait(&start);
        if (goes("wait") && me == length - 1)
            pthread_barrier_wait(&middle);
        if (has_outer) {
            pthread_mutex_lock(&outer);
            pthread_barrier_wait(&middle);
        }
        take_two(me, (me + 1) % length);
        if (has_outer)
            pthread_mutex_unlock(&outer);
    }
    return NULL;
}

static int mutex_type(void)
{
    if (is("recursive"))
        return PTHREAD_MUTEX_RECURSIVE;
    if (is("errorcheck"))
        return PTHREAD_MUTEX_ERRORCHECK;
    return is("adaptive") ? PTHREAD_MUTEX_ADAPTIVE_NP : PTHREAD_MUTEX_NORMAL;
}

static void make_locks(void)
{
    pthread_mutexattr_t attributes;

    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, mutex_type());
    for (int i = 0; i < MOST; i++) {
        pthread_mutex_init(&mutexes[i], &attributes);
        pthread_rwlock_init(&rwlocks[i], NULL);
        pthread_spin_init(&spins[i], PTHREAD_PROCESS_PRIVATE);
        sem_init(&semaphores[i], 0, 1);
        /* Had and given back once: a semaphore that is a lock. */
        sem_wait(&semaphores[i]);
        sem_post(&semaphores[i]);
    }
}

static void *one_pair(void *argument)
{
    int first = (int)(long)argument;

    by_mutex(first, first + 1);
    return NULL;
}

/* One has its first lock and waits for its second, which is busy; meanwhile the other has both. */
static void two_pairs(void)
{
    pthread_t waits, goes_on;

    pthread_mutex_lock(&mutexes[1]);
    pthread_create(&waits, NULL, one_pair, (void *)0L);
    while (pthread_mutex_trylock(&mutexes[0]) == 0) {
        pthread_mutex_unlock(&mutexes[0]);
        sched_yield();
    }
    pthread_create(&goes_on, NULL, one_pair, (void *)2L);
    pthread_join(goes_on, NULL);
    pthread_mutex_unlock(&mutexes[1]);
    pthread_join(waits, NULL);
    puts("both");
}

int main(int argc, char **argv)
{
    pthread_t threads[MOST];

    if (argc < 4)
        return 2;
    kind = argv[1];
    length = atoi(argv[2]);
    rounds = atoi(argv[3]);
    how = argc > 4 ? argv[4] : "";
    pthread_barrier_init(&start, NULL, (unsigned)length);
    pthread_barrier_init(&middle, NULL, (unsigned)length);
    make_locks();
    if (goes("disjoint")) {
        two_pairs();
        return 0;
    }
    for (long i = 0; i < length; i++)
        pthread_create(&threads[i], NULL, work, (void *)i);
    for (int i = 0; i < length; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < length; i++)
        printf("%s %d: %ld\n", kind, i, done[i]);
    return 0;
}
