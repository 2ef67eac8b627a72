/*
 * What a C extension does with CPython's global lock, many times over. The interpreter's functions
 * come from whoever loads it: no header of Python's is needed.
 */
#include <pthread.h>

void *PyEval_SaveThread(void);
void PyEval_RestoreThread(void *state);

static pthread_mutex_t mutexes[2] = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER};

/* Drops the GIL and takes it again. */
void drop_and_retake(long n)
{
    while (n-- > 0)
        PyEval_RestoreThread(PyEval_SaveThread());
}

/* A mutex, with nothing but the GIL held. */
void lock_mutex(long n)
{
    for (; n > 0; n--) {
        pthread_mutex_lock(&mutexes[1]);
        pthread_mutex_unlock(&mutexes[1]);
    }
}
