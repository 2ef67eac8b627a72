/*
 * A pool of four connections, counted by a semaphore. Each of four jobs takes one, and
 * then a second one for its sub-query while it keeps the first: none is left, and
 * nobody gives one back. main only joins.
 */
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>

enum { CONNECTIONS = 4 };

static sem_t connections;
static atomic_int jobs_connected;

static void sub_query(void)
{
    sem_wait(&connections);
    sem_post(&connections);
}

static void *job(void *arg)
{
    pthread_setname_np(pthread_self(), "job");
    sem_wait(&connections);
    sem_post(&connections); /* a first, short query went well */

    sem_wait(&connections);
    atomic_fetch_add(&jobs_connected, 1);
    while (atomic_load(&jobs_connected) < CONNECTIONS)
        sched_yield();
    sub_query();
    sem_post(&connections);
    return arg;
}

int main(void)
{
    pthread_t jobs[CONNECTIONS];
    sem_init(&connections, 0, CONNECTIONS);
    for (int i = 0; i < CONNECTIONS; i++)
        pthread_create(&jobs[i], NULL, job, NULL);
    for (int i = 0; i < CONNECTIONS; i++)
        pthread_join(jobs[i], NULL);
    printf("all jobs done\n");
    return 0;
}
