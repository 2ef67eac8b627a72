/*
 * One mutex from two sides: some threads lock and unlock it through the library, which takes plain
 * mutexes itself, others through libc's own functions, which the library does not see; and libc's
 * condition waits give it up and take it back inside. Nobody gets in twice, and nobody is left
 * asleep.
 */
// quiet
#include "tell.h"
#include <dlfcn.h>
#include <sys/wait.h>
#include <time.h>

enum { THREADS = 4, ROUNDS = 20000, TURNS = 2000, FORKS = 20 };

static struct {
    int (*lock)(pthread_mutex_t *), (*unlock)(pthread_mutex_t *), (*trylock)(pthread_mutex_t *);
    int (*timedlock)(pthread_mutex_t *, const struct timespec *);
} side[2];

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t *shared = &m;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
static long count, turn;
static int inside, doubles;

static void find_sides(void)
{
    void *libc = dlopen("libpthread.so.0", RTLD_LAZY | RTLD_NOLOAD); /* before glibc 2.34 */
    if (!libc)
        libc = dlopen("libc.so.6", RTLD_LAZY);

    side[0].lock = pthread_mutex_lock;
    side[0].unlock = pthread_mutex_unlock;
    side[0].trylock = pthread_mutex_trylock;
    side[0].timedlock = pthread_mutex_timedlock;
    side[1].lock = (int (*)(pthread_mutex_t *))dlsym(libc, "pthread_mutex_lock");
    side[1].unlock = (int (*)(pthread_mutex_t *))dlsym(libc, "pthread_mutex_unlock");
    side[1].trylock = (int (*)(pthread_mutex_t *))dlsym(libc, "pthread_mutex_trylock");
    side[1].timedlock =
        (int (*)(pthread_mutex_t *, const struct timespec *))dlsym(libc, "pthread_mutex_timedlock");
}

static void take(int s, int i)
{
    struct timespec far = {0, 0};

    if (i % 7 == 3) {
        while (side[s].trylock(shared) != 0)
            sched_yield();
    } else if (i % 7 == 5) {
        clock_gettime(CLOCK_REALTIME, &far);
        far.tv_sec += 1000;
        if (side[s].timedlock(shared, &far) != 0)
            abort();
    } else if (side[s].lock(shared) != 0) {
        abort();
    }
}

/* Once more, where it is recursive: by the same side and by the other. */
static void again(int s, int i)
{
    int other = i % 2 ? s : !s;

    if (shared->__data.__kind != PTHREAD_MUTEX_RECURSIVE_NP)
        return;
    if (side[other].lock(shared) != 0 || side[s].trylock(shared) != 0 ||
        shared->__data.__count != 3 || side[!other].unlock(shared) != 0 ||
        side[other].unlock(shared) != 0 || shared->__data.__count != 1)
        abort();
}

static void work(void)
{
    for (int i = 0; i < ROUNDS; i++) {
        int s = i % 3 == 0;
        take(s, i);
        doubles += inside++ != 0;
        count++;
        again(s, i);
        if (i % 64 == 0) /* now and then with the others asleep on it */
            sched_yield();
        inside--;
        side[s].unlock(shared);
    }
}

static void crowd(const char *name)
{
    pthread_t t[THREADS];

    count = 0;
    for (int i = 0; i < THREADS; i++)
        t[i] = spawn("worker", work);
    for (int i = 0; i < THREADS; i++)
        JOIN(t[i]);
    say("%s: %ld taken, %d at once, lock %d users %d owner %d", name, count, doubles,
        shared->__data.__lock, shared->__data.__nusers, shared->__data.__owner);
}

static void hand_over(int me)
{
    for (int i = 0; i < TURNS; i++) {
        int s = (i + me) % 2;
        side[s].lock(&m);
        while (turn % 2 != me)
            if (s == 0)
                pthread_cond_wait(&c, &m);
            else { /* not its own wait: unseen, the mutex is given back and taken by hand */
                side[s].unlock(&m);
                sched_yield();
                side[s].lock(&m);
            }
        turn++;
        side[s].unlock(&m);
        pthread_cond_broadcast(&c);
    }
}

static void first(void)
{
    hand_over(0);
}

static void second(void)
{
    hand_over(1);
}

static void forks(void)
{
    int good = 0;

    for (int i = 0; i < FORKS; i++) {
        LOCK(m);
        pid_t child = fork();
        if (child == 0) { /* it holds the copy, under another tid */
            int result = side[i % 2].unlock(&m) || side[(i + 1) % 2].lock(&m) ||
                         m.__data.__owner != getpid() || side[(i + 1) % 2].unlock(&m);
            _exit(result);
        }
        UNLOCK(m);
        int status = 1;
        waitpid(child, &status, 0);
        good += status == 0;
    }
    say("children: %d of %d", good, FORKS);
}

static pthread_mutex_t recursive = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

int main(void)
{
    static pthread_mutex_t adaptive = PTHREAD_ADAPTIVE_MUTEX_INITIALIZER_NP, named;

    find_sides();
    LOCK(m); /* before there is a second thread */
    UNLOCK(m);
    crowd("normal");
    shared = &adaptive;
    crowd("adaptive");
    init_mutex(&named, PTHREAD_MUTEX_NORMAL);
    shared = &named;
    crowd("normal by name");
    shared = &recursive;
    crowd("recursive");
    pthread_t a = spawn("first", first), b = spawn("second", second);
    JOIN(a);
    JOIN(b);
    say("turns: %ld", turn);
    forks();
    return 0;
}
