/*
 * Five philosophers, five forks, all hungry at once: each takes the fork on the
 * left and then asks for the one on the right. Here nobody asks before everybody
 * holds one, so that the deadlock, elsewhere a matter of luck, is certain.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>

enum { SEATS = 5 };

static pthread_mutex_t forks[SEATS];
static atomic_int forks_taken;

static void dine(int seat)
{
    pthread_mutex_lock(&forks[seat]);
    atomic_fetch_add(&forks_taken, 1);
    while (atomic_load(&forks_taken) < SEATS)
        sched_yield();

    pthread_mutex_lock(&forks[(seat + 1) % SEATS]);
    printf("philosopher %d eats\n", seat);
    pthread_mutex_unlock(&forks[(seat + 1) % SEATS]);
    pthread_mutex_unlock(&forks[seat]);
}

static void *philosopher(void *arg)
{
    static const char *const names[SEATS] = {"Aristotle", "Hypatia", "Kant", "Laozi",
                                             "Wollstonecraft"};
    int seat = (int)(long)arg;
    pthread_setname_np(pthread_self(), names[seat]);
    dine(seat);
    return NULL;
}

int main(void)
{
    pthread_t threads[SEATS];
    for (int i = 0; i < SEATS; i++)
        pthread_mutex_init(&forks[i], NULL);
    for (int i = 0; i < SEATS; i++)
        pthread_create(&threads[i], NULL, philosopher, (void *)(long)i);
    for (int i = 0; i < SEATS; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
