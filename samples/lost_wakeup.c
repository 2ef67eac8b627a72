/*
 * The producer signals before the consumer waits, and the consumer does not look
 * whether there is something already: the signal is lost and nobody will
 * send another. No lock is held, no cycle exists; all threads just sleep: a stall.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t filled = PTHREAD_COND_INITIALIZER;
static atomic_int items;

static void *produce(void *arg)
{
    pthread_setname_np(pthread_self(), "producer");
    pthread_mutex_lock(&lock);
    atomic_fetch_add(&items, 1);
    pthread_cond_signal(&filled);
    pthread_mutex_unlock(&lock);
    return arg;
}

static void *consume(void *arg)
{
    pthread_setname_np(pthread_self(), "consumer");
    while (!atomic_load(&items))
        sched_yield(); /* bad luck: the consumer comes late */
    pthread_mutex_lock(&lock);
    pthread_cond_wait(&filled, &lock); /* should be: while (!items) */
    atomic_fetch_sub(&items, 1);
    pthread_mutex_unlock(&lock);
    return arg;
}

int main(void)
{
    pthread_t producer, consumer;
    pthread_create(&producer, NULL, produce, NULL);
    pthread_create(&consumer, NULL, consume, NULL);
    pthread_join(producer, NULL);
    pthread_join(consumer, NULL);
    printf("consumed\n");
    return 0;
}
