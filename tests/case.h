/*
 * What the case programs share. Threads go hand in hand through one atomic
 * counter, which orders nothing for dlwatch: step() says "I am so far", await(n)
 * waits until n such steps were made. No sleeping, no barrier, no semaphore.
 */
#ifndef DLW_TESTS_CASE_H
#define DLW_TESTS_CASE_H

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOCK(m) pthread_mutex_lock(&(m))
#define UNLOCK(m) pthread_mutex_unlock(&(m))
#define TRYLOCK(m) pthread_mutex_trylock(&(m))
#define RDLOCK(l) pthread_rwlock_rdlock(&(l))
#define WRLOCK(l) pthread_rwlock_wrlock(&(l))
#define RWUNLOCK(l) pthread_rwlock_unlock(&(l))
#define JOIN(t) pthread_join(t, NULL)

static int steps;

static inline void step(void)
{
    __atomic_fetch_add(&steps, 1, __ATOMIC_SEQ_CST);
}

static inline void await(int n)
{
    while (__atomic_load_n(&steps, __ATOMIC_SEQ_CST) < n)
        sched_yield();
}

struct role {
    const char *name;
    void (*play)(void);
};

static inline void *play_role(void *arg)
{
    struct role role = *(struct role *)arg;
    free(arg);
    pthread_setname_np(pthread_self(), role.name);
    role.play();
    return NULL;
}

/* A thread that has its name before it does anything. */
static inline pthread_t spawn(const char *name, void (*play)(void))
{
    struct role *role = (struct role *)malloc(sizeof *role);
    pthread_t thread;
    role->name = name;
    role->play = play;
    if (pthread_create(&thread, NULL, play_role, role)) {
        perror("pthread_create");
        exit(99);
    }
    return thread;
}

/* So that a deadlock line names "main", whatever the program is called. */
static inline void name_main(void)
{
    pthread_setname_np(pthread_self(), "main");
}

static inline void init_mutex(pthread_mutex_t *mutex, int type)
{
    pthread_mutexattr_t attr;
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_settype(&attr, type);
    pthread_mutex_init(mutex, &attr);
    pthread_mutexattr_destroy(&attr);
}

#endif
