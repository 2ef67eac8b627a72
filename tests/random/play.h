/* What generated programs share, beside case.h. */
#ifndef DLW_TESTS_RANDOM_PLAY_H
#define DLW_TESTS_RANDOM_PLAY_H

#include "tests/cases/asleep.h"
#include "tests/custom.h"

#include <semaphore.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <threads.h>
#include <time.h>

/* A limit that no test comes near to. */
enum { LATER = 600 * 1000 };

/* What was asked for must be had: the program was built so. */
#define MUST(call)                                                                                 \
    do {                                                                                           \
        if (call) {                                                                                \
            fprintf(stderr, "%s:%d: %s failed\n", __FILE__, __LINE__, #call);                      \
            _exit(99);                                                                             \
        }                                                                                          \
    } while (0)

static inline const struct timespec *in_ms(long ms)
{
    static __thread struct timespec limit;
    clock_gettime(CLOCK_REALTIME, &limit);
    limit.tv_sec += ms / 1000;
    limit.tv_nsec += ms % 1000 * 1000000;
    if (limit.tv_nsec >= 1000000000) {
        limit.tv_nsec -= 1000000000;
        limit.tv_sec++;
    } else if (limit.tv_nsec < 0) {
        limit.tv_nsec += 1000000000;
        limit.tv_sec--;
    }
    return &limit;
}

static inline void make_mutex(pthread_mutex_t *mutex, int type, int robust, int protocol,
                              int shared)
{
    pthread_mutexattr_t attr;
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_settype(&attr, type);
    pthread_mutexattr_setrobust(&attr, robust);
    pthread_mutexattr_setprotocol(&attr, protocol);
    pthread_mutexattr_setpshared(&attr, shared);
    pthread_mutex_init(mutex, &attr);
    pthread_mutexattr_destroy(&attr);
}

static inline void make_rwlock(pthread_rwlock_t *lock, int kind)
{
    pthread_rwlockattr_t attr;
    pthread_rwlockattr_init(&attr);
    pthread_rwlockattr_setkind_np(&attr, kind);
    pthread_rwlock_init(lock, &attr);
    pthread_rwlockattr_destroy(&attr);
}

static inline void make_custom(struct custom *lock)
{
    lock->word = 0;
    dlwatch_created(lock);
}

/* A priority-ceiling mutex wants a real-time thread. Nothing is waited for at such a priority. */
static inline void set_priority(int policy)
{
    struct sched_param param = {.sched_priority = policy == SCHED_FIFO};
    MUST(sched_setscheduler(0, policy, &param));
}

static inline int in_place(int (*play)(void))
{
    return play();
}

/* The child may end with a status that says what was found; the parent's says that it ended. */
static inline int in_child(int (*play)(void))
{
    int status;
    pid_t child = fork();
    if (child == 0)
        exit(play());
    return waitpid(child, &status, 0) != child || !WIFEXITED(status);
}

struct play {
    unsigned seed;
    int (*main)(void);
};
extern const struct play plays[];

#endif
