/*
 * What keeps the two sides of meets.c apart: time, something that the second waits for and that a
 * detector does not see, or (first, second) that only this side is played.
 */
#ifndef E2E_MEETS_APART_H
#define E2E_MEETS_APART_H

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define LOCK pthread_mutex_lock
#define UNLOCK pthread_mutex_unlock

static const char *apart;
static long gap_ms = 100;
static int ends[2];
static atomic_uint flag; /* how many sides are done, where that is asked */
static sem_t event;
static pthread_mutex_t turn_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turn = PTHREAD_COND_INITIALIZER;
static int is_turn;
static char path[64];

static int is(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

static void make_apart(void)
{
    int status = 0;

    if (is(apart, "pipe") || is(apart, "poll"))
        status = pipe(ends);
    else if (is(apart, "socket"))
        status = socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
    else if (is(apart, "eventfd"))
        ends[0] = ends[1] = eventfd(0, 0);
    else if (is(apart, "semaphore"))
        status = sem_init(&event, 0, 0);
    else if (is(apart, "file"))
        snprintf(path, sizeof(path), "/tmp/meets.%d", (int)getpid());
    if (is(apart, "signal")) {
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, SIGUSR1);
        status = pthread_sigmask(SIG_BLOCK, &set, NULL);
    }
    if (status)
        exit(3);
}

/* The first side is done. */
static void first_is_done(void)
{
    uint64_t one = 1;

    if (is(apart, "pipe") || is(apart, "socket") || is(apart, "eventfd") || is(apart, "poll")) {
        if (write(ends[1], &one, sizeof(one)) != sizeof(one))
            exit(3);
    } else if (is(apart, "semaphore")) {
        sem_post(&event);
    } else if (is(apart, "condition")) {
        LOCK(&turn_lock);
        is_turn = 1;
        pthread_cond_broadcast(&turn);
        UNLOCK(&turn_lock);
    } else if (is(apart, "signal")) {
        kill(getpid(), SIGUSR1);
    } else if (is(apart, "file")) {
        close(open(path, O_CREAT | O_WRONLY, 0600));
    }
    atomic_store(&flag, 1);
}

/* So many sides are done. */
static void await_sides(unsigned n)
{
    while (atomic_load(&flag) < n)
        usleep(1000);
}

/* The second side begins. */
static void second_begins(void)
{
    uint64_t one;

    if (is(apart, "time")) {
        usleep((unsigned)(gap_ms * 1000));
    } else if (is(apart, "pipe") || is(apart, "socket") || is(apart, "eventfd")) {
        if (read(ends[0], &one, sizeof(one)) != sizeof(one))
            exit(3);
    } else if (is(apart, "poll")) {
        struct pollfd wait = {.fd = ends[0], .events = POLLIN};
        poll(&wait, 1, -1);
    } else if (is(apart, "semaphore")) {
        while (sem_wait(&event))
            continue;
    } else if (is(apart, "condition")) {
        LOCK(&turn_lock);
        while (!is_turn)
            pthread_cond_wait(&turn, &turn_lock);
        UNLOCK(&turn_lock);
    } else if (is(apart, "signal")) {
        sigset_t set;
        int number;
        sigemptyset(&set);
        sigaddset(&set, SIGUSR1);
        sigwait(&set, &number);
    } else if (is(apart, "file")) {
        while (access(path, F_OK))
            usleep(1000);
        unlink(path);
    } else if (is(apart, "spin")) {
        while (!atomic_load(&flag))
            sched_yield();
    } else if (is(apart, "flag")) {
        await_sides(1);
    }
}

#endif
