// Barriers between the courses: in each, only such guests eat as are no neighbours.
#include "dining.h"
static pthread_mutex_t fork_[SEATS];
static pthread_barrier_t course;

static void dine(int seat)
{
    static const int eats_in[SEATS] = {0, 1, 0, 1, 2};
    for (int i = 0; i < 3; i++) {
        if (eats_in[seat] == i) {
            LOCK(fork_[left(seat)]);
            pthread_mutex_lock(&fork_[right(seat)]);
            UNLOCK(fork_[right(seat)]);
            UNLOCK(fork_[left(seat)]);
        }
        pthread_barrier_wait(&course);
    }
}

int main(void)
{
    pthread_barrier_init(&course, NULL, SEATS);
    dinner(dine);
    return 0;
}
