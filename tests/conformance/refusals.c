/*
 * What libc refuses, where the library takes, makes and destroys mutexes itself and must answer the
 * same: a recursive mutex counts no further than its count goes, and only its owner unlocks it, in
 * a child too; one that is held is not destroyed.
 */
// finds
#include "tell.h"
#include <sys/wait.h>

static pthread_mutex_t recursive = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

static void not_its_own(void)
{
    say("another's: unlock %s, trylock %s", strerror(pthread_mutex_unlock(&recursive)),
        strerror(pthread_mutex_trylock(&recursive)));
}

/* What a recursive one refuses. */
static void refuse(void)
{
    int status = 1;

    LOCK(recursive);
    recursive.__data.__count = ~0U;
    int full = pthread_mutex_lock(&recursive), full_try = pthread_mutex_trylock(&recursive);
    recursive.__data.__count = 2;
    say("full: %s %s", strerror(full), strerror(full_try));
    JOIN(spawn("other", not_its_own));
    pid_t child = fork();
    if (child == 0) /* the owner is the parent's thread */
        _exit(pthread_mutex_unlock(&recursive));
    waitpid(child, &status, 0);
    say("child: %s", strerror(WEXITSTATUS(status)));
    UNLOCK(recursive);
    say("once less: %u, lock %d", recursive.__data.__count, recursive.__data.__lock);
    UNLOCK(recursive);
    say("not held: %s, lock %d users %d", strerror(pthread_mutex_unlock(&recursive)),
        recursive.__data.__lock, recursive.__data.__nusers);
}

static void show(const char *when, const pthread_mutex_t *mutex)
{
    say("%s: lock %d count %u owned %d users %u kind %d", when, mutex->__data.__lock,
        mutex->__data.__count, mutex->__data.__owner != 0, mutex->__data.__nusers,
        mutex->__data.__kind);
}

/* Over memory that holds anything. */
static void live(void)
{
    pthread_mutex_t mutex;

    memset(&mutex, 0x5a, sizeof mutex);
    say("init %d", pthread_mutex_init(&mutex, NULL));
    show("made", &mutex);
    LOCK(mutex);
    say("destroy held: %s", strerror(pthread_mutex_destroy(&mutex)));
    show("held", &mutex);
    UNLOCK(mutex);
    say("destroy %d", pthread_mutex_destroy(&mutex));
    show("destroyed", &mutex);
    say("lock it: %s", strerror(pthread_mutex_lock(&mutex)));
    say("again %d", pthread_mutex_init(&mutex, NULL));
    show("made again", &mutex);
    LOCK(mutex);
    UNLOCK(mutex);
    say("destroy %d", pthread_mutex_destroy(&mutex));
}

int main(void)
{
    refuse();
    live();
    return 0;
}
