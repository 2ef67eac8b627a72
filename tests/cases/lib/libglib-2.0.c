/* GLib's locks as far as the cases need them, in the way of the real ones: a futex by syscall(),
 * and no call of its own functions that another library could see. */
#include "glib.h"
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static long futex(unsigned *word, int operation, unsigned value)
{
    return syscall(SYS_futex, word, operation | FUTEX_PRIVATE_FLAG, value, NULL);
}

static void lock(unsigned *word)
{
    unsigned is_free = 0;

    if (__atomic_compare_exchange_n(word, &is_free, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
        return;
    while (__atomic_exchange_n(word, 2, __ATOMIC_ACQUIRE) != 0)
        futex(word, FUTEX_WAIT, 2);
}

static void unlock(unsigned *word)
{
    if (__atomic_exchange_n(word, 0, __ATOMIC_RELEASE) == 2)
        futex(word, FUTEX_WAKE, 1);
}

void g_mutex_init(GMutex *mutex)
{
    mutex->i[0] = 0;
}

void g_mutex_clear(GMutex *mutex)
{
    (void)mutex;
}

void g_mutex_lock(GMutex *mutex)
{
    lock(&mutex->i[0]);
}

int g_mutex_trylock(GMutex *mutex)
{
    unsigned is_free = 0;

    return __atomic_compare_exchange_n(&mutex->i[0], &is_free, 1, 0, __ATOMIC_ACQUIRE,
                                       __ATOMIC_RELAXED);
}

void g_mutex_unlock(GMutex *mutex)
{
    unlock(&mutex->i[0]);
}

void g_cond_wait(GCond *cond, GMutex *mutex)
{
    unsigned seen = __atomic_load_n(&cond->i[0], __ATOMIC_SEQ_CST);

    unlock(&mutex->i[0]);
    futex(&cond->i[0], FUTEX_WAIT, seen);
    lock(&mutex->i[0]);
}

void g_cond_signal(GCond *cond)
{
    __atomic_fetch_add(&cond->i[0], 1, __ATOMIC_SEQ_CST);
    futex(&cond->i[0], FUTEX_WAKE, 1);
}

/* The other locks are pthread's, made at their first use. */

static pthread_mutex_t *mutex_of(GRecMutex *mutex)
{
    if (!__atomic_load_n(&mutex->p, __ATOMIC_ACQUIRE)) {
        pthread_mutex_t *made = malloc(sizeof(*made));
        pthread_mutexattr_t attributes;
        void *none = NULL;
        pthread_mutexattr_init(&attributes);
        pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
        pthread_mutex_init(made, &attributes);
        if (!__atomic_compare_exchange_n(&mutex->p, &none, (void *)made, 0, __ATOMIC_RELEASE,
                                         __ATOMIC_RELAXED))
            free(made);
    }
    return mutex->p;
}

void g_rec_mutex_lock(GRecMutex *mutex)
{
    pthread_mutex_lock(mutex_of(mutex));
}

int g_rec_mutex_trylock(GRecMutex *mutex)
{
    return pthread_mutex_trylock(mutex_of(mutex)) == 0;
}

void g_rec_mutex_unlock(GRecMutex *mutex)
{
    pthread_mutex_unlock(mutex->p);
}

static pthread_rwlock_t *rwlock_of(GRWLock *lock)
{
    if (!__atomic_load_n(&lock->p, __ATOMIC_ACQUIRE)) {
        pthread_rwlock_t *made = malloc(sizeof(*made));
        void *none = NULL;
        pthread_rwlock_init(made, NULL);
        if (!__atomic_compare_exchange_n(&lock->p, &none, (void *)made, 0, __ATOMIC_RELEASE,
                                         __ATOMIC_RELAXED))
            free(made);
    }
    return lock->p;
}

void g_rw_lock_writer_lock(GRWLock *lock)
{
    pthread_rwlock_wrlock(rwlock_of(lock));
}

int g_rw_lock_writer_trylock(GRWLock *lock)
{
    return pthread_rwlock_trywrlock(rwlock_of(lock)) == 0;
}

void g_rw_lock_writer_unlock(GRWLock *lock)
{
    pthread_rwlock_unlock(lock->p);
}

void g_rw_lock_reader_lock(GRWLock *lock)
{
    pthread_rwlock_rdlock(rwlock_of(lock));
}

void g_rw_lock_reader_unlock(GRWLock *lock)
{
    pthread_rwlock_unlock(lock->p);
}

static unsigned initialising;

int g_once_init_enter(volatile void *location)
{
    size_t *value = (size_t *)location;

    for (;;) {
        unsigned is_free = 0;
        if (__atomic_load_n(value, __ATOMIC_ACQUIRE))
            return 0;
        if (__atomic_compare_exchange_n(&initialising, &is_free, 1, 0, __ATOMIC_ACQUIRE,
                                        __ATOMIC_RELAXED))
            return 1;
        futex(&initialising, FUTEX_WAIT, 1);
    }
}

void g_once_init_leave(volatile void *location, size_t result)
{
    __atomic_store_n((size_t *)location, result, __ATOMIC_RELEASE);
    __atomic_store_n(&initialising, 0, __ATOMIC_RELEASE);
    futex(&initialising, FUTEX_WAKE, INT_MAX);
}
