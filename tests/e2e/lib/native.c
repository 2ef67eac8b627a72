/* The native half of tests/e2e/python/gil.py: what extensions do with locks of their own and the
 * GIL. Called through ctypes: CDLL drops the GIL around a call, PyDLL keeps it. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>

/* CPython's, found in the process that opens this. */
int PyGILState_Ensure(void);
void PyGILState_Release(int state);
void *PyEval_SaveThread(void);
void PyEval_RestoreThread(void *thread);

typedef void callback(void);

static pthread_mutex_t cache = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t index_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static callback *in_once;
static atomic_uint inside; /* threads that hold what they take first, and wait for the last one */
static atomic_bool waits, may_go;

/* From here on those who come first wait for the one that comes with the GIL. */
void meet_from_here(void)
{
    waits = true;
}

static void meet(void)
{
    inside++;
    while (waits && !may_go)
        sched_yield();
}

/* Called without the GIL, which the others need until they are there. */
void await_others(unsigned n)
{
    while (inside < n)
        sched_yield();
}

/* Holds the mutex, and calls back into Python, which takes the GIL. */
void publish(callback *call)
{
    pthread_mutex_lock(&cache);
    meet();
    call();
    pthread_mutex_unlock(&cache);
}

/* With the GIL in hand when called through PyDLL. */
void lookup(void)
{
    may_go = true;
    pthread_mutex_lock(&cache);
    pthread_mutex_unlock(&cache);
}

void rebuild(void)
{
    pthread_mutex_lock(&cache);
    meet();
    pthread_mutex_lock(&index_lock);
    pthread_mutex_unlock(&index_lock);
    pthread_mutex_unlock(&cache);
}

void publish_index(callback *call)
{
    pthread_mutex_lock(&index_lock);
    meet();
    call();
    pthread_mutex_unlock(&index_lock);
}

/* Both orders in one call each: under the GIL they can't meet. */
void cache_then_index(void)
{
    pthread_mutex_lock(&cache);
    pthread_mutex_lock(&index_lock);
    pthread_mutex_unlock(&index_lock);
    pthread_mutex_unlock(&cache);
}

void index_then_cache(void)
{
    pthread_mutex_lock(&index_lock);
    pthread_mutex_lock(&cache);
    pthread_mutex_unlock(&cache);
    pthread_mutex_unlock(&index_lock);
}

/* A hold that outlives the call: lines of Python run under it. */
void lock_cache(void)
{
    pthread_mutex_lock(&cache);
}

void unlock_cache(void)
{
    pthread_mutex_unlock(&cache);
}

void lock_index(void)
{
    pthread_mutex_lock(&index_lock);
}

void unlock_index(void)
{
    pthread_mutex_unlock(&index_lock);
}

static void run_once(void)
{
    meet();
    if (in_once)
        in_once();
}

void initialise(callback *call)
{
    in_once = call;
    pthread_once(&once, run_once);
}

/* The other caller of the once-routine, who keeps the GIL. */
void initialise_later(void)
{
    may_go = true;
    pthread_once(&once, run_once);
}

static void *worker(void *unused)
{
    PyGILState_Release(PyGILState_Ensure());
    return unused;
}

void run_and_join(void)
{
    pthread_t thread;

    pthread_create(&thread, NULL, worker, NULL);
    pthread_join(thread, NULL);
}

/* Takes the GIL that it has. */
void take_twice(void)
{
    void *state = PyEval_SaveThread();

    PyEval_RestoreThread(state);
    PyEval_RestoreThread(state);
}
