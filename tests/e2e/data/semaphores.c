/*
 * semaphores WORK MODE: a thread takes a semaphore and a mutex, "there" the semaphore first, "back"
 * the mutex first, "room" the mutex first too, but it keeps the semaphore beyond it. With MODE
 * "signal" the main thread, which has not taken it, posts the semaphore afterwards.
 */
#include <pthread.h>
#include <semaphore.h>
#include <string.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static sem_t semaphore;

static void *there(void *unused)
{
    sem_wait(&semaphore);
    pthread_mutex_lock(&mutex);
    pthread_mutex_unlock(&mutex);
    sem_post(&semaphore);
    return unused;
}

static void *back(void *unused)
{
    pthread_mutex_lock(&mutex);
    sem_wait(&semaphore);
    sem_post(&semaphore);
    pthread_mutex_unlock(&mutex);
    return unused;
}

static void *room(void *unused)
{
    pthread_mutex_lock(&mutex);
    sem_wait(&semaphore);
    pthread_mutex_unlock(&mutex);
    pthread_mutex_lock(&mutex);
    sem_post(&semaphore);
    pthread_mutex_unlock(&mutex);
    return unused;
}

int main(int argc, char **argv)
{
    pthread_t thread;
    if (argc < 3)
        return 2;
    sem_init(&semaphore, 0, 1);
    pthread_create(&thread, NULL,
                   strcmp(argv[1], "there") == 0  ? there
                   : strcmp(argv[1], "back") == 0 ? back
                                                  : room,
                   NULL);
    pthread_join(thread, NULL);
    if (strcmp(argv[2], "signal") == 0)
        sem_post(&semaphore);
    return 0;
}
