/* Thousands of short threads, forks and signals at once, over all kinds of locks: all adds up.
 * soak [ROUNDS] */
// quiet
#include "tell.h"
#include <semaphore.h>
#include <signal.h>
#include <sys/wait.h>

enum { MAKERS = 4, FORKS = 12, LIVES = 6 };

static pthread_mutex_t outer = PTHREAD_MUTEX_INITIALIZER, inner = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t table = PTHREAD_RWLOCK_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static sem_t places;
static unsigned rounds = 250;
static int count, done, handled, wrong;
static __thread int thread_signals;

static void prepare(void)
{
    LOCK(inner);
    UNLOCK(inner);
}

static void on_signal(int number)
{
    (void)number;
    thread_signals++;
    sem_post(&places);
    __atomic_fetch_add(&handled, 1, __ATOMIC_SEQ_CST);
}

/* A lock of its own, in memory that other threads use for theirs before and after. */
static void short_life(unsigned seed)
{
    pthread_mutex_t *mine = malloc(sizeof *mine);
    pthread_mutex_init(mine, NULL);
    LOCK(*mine);
    if (seed % 2)
        RDLOCK(table);
    else
        WRLOCK(table);
    LOCK(outer);
    LOCK(inner);
    count++;
    UNLOCK(outer); /* out of order */
    UNLOCK(inner);
    RWUNLOCK(table);
    UNLOCK(*mine);
    pthread_mutex_destroy(mine);
    free(mine);
}

static void *worker(void *argument)
{
    unsigned seed = (unsigned)(size_t)argument;
    pthread_once(&once, prepare);
    if (seed % 3 == 0)
        raise(SIGUSR1);
    for (unsigned i = 0; i < LIVES; i++)
        short_life(seed + i);
    if (seed % 5 == 0)
        pthread_exit(argument);
    return argument;
}

static void *maker(void *unused)
{
    for (size_t i = 0; i < rounds; i++) {
        pthread_t threads[4];
        for (size_t k = 0; k < 4; k++)
            pthread_create(&threads[k], NULL, worker, (void *)(i * 4 + k));
        for (size_t k = 0; k < 4; k++) {
            void *value = NULL;
            pthread_join(threads[k], &value);
            if (value != (void *)(i * 4 + k))
                __atomic_fetch_add(&wrong, 1, __ATOMIC_SEQ_CST);
        }
    }
    LOCK(outer);
    done++;
    pthread_cond_broadcast(&changed);
    UNLOCK(outer);
    return unused;
}

static void hold_both(void)
{
    LOCK(outer);
    LOCK(inner);
}

static void release_both(void)
{
    UNLOCK(inner);
    UNLOCK(outer);
}

/* What the fork handlers did not hold may be another thread's for ever here. */
static void *in_child(void *unused)
{
    for (int i = 0; i < LIVES; i++) {
        hold_both();
        release_both();
    }
    return unused;
}

static void fork_once(int number)
{
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
#ifdef __SANITIZE_ADDRESS__ /* its allocator may be locked for ever in a child */
        in_child(NULL);
#else
        pthread_t thread;
        pthread_create(&thread, NULL, in_child, NULL);
        pthread_join(thread, NULL);
#endif
        _exit(number);
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != number)
        __atomic_fetch_add(&wrong, 1, __ATOMIC_SEQ_CST);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        rounds = (unsigned)atoi(argv[1]);
    pthread_t makers[MAKERS];
    sem_init(&places, 0, 0);
    signal(SIGUSR1, on_signal);
    pthread_atfork(hold_both, release_both, release_both);
    for (int i = 0; i < MAKERS; i++)
        pthread_create(&makers[i], NULL, maker, NULL);
    for (int i = 0; i < FORKS; i++)
        fork_once(i);
    LOCK(outer);
    while (done < MAKERS)
        pthread_cond_wait(&changed, &outer);
    UNLOCK(outer);
    for (int i = 0; i < MAKERS; i++)
        JOIN(makers[i]);
    say("lives %d, of %u", count, MAKERS * rounds * 4 * LIVES);
    int posts = 0;
    while (sem_trywait(&places) == 0)
        posts++;
    say("signals %d, posts %d, wrong %d", handled, posts, wrong);
    return 0;
}
