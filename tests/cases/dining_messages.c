// Chandy and Misra: a fork is clean or dirty, a dirty one is given away when it is asked for, and
// clean, and at first all are dirty and lie where no circle is. Each fork has a mutex of its own,
// never held with another.
#include "dining.h"
struct fork {
    pthread_mutex_t mutex;
    pthread_cond_t moved;
    int owner;
    bool is_dirty, is_asked_for, is_used;
};
static struct fork forks[SEATS];

static void get(struct fork *fork, int seat)
{
    LOCK(fork->mutex);
    while (fork->owner != seat) {
        if (fork->is_dirty && !fork->is_used) {
            fork->owner = seat;
            fork->is_dirty = fork->is_asked_for = false;
        } else {
            fork->is_asked_for = true;
            pthread_cond_wait(&fork->moved, &fork->mutex);
        }
    }
    UNLOCK(fork->mutex);
}

/* Both at once, or again: the one that was got first may have been asked for. */
static bool begin(struct fork *a, struct fork *b, int seat)
{
    struct fork *both[] = {a, b};
    for (int i = 0; i < 2; i++) {
        LOCK(both[i]->mutex);
        bool is_mine = both[i]->owner == seat;
        both[i]->is_used = is_mine;
        UNLOCK(both[i]->mutex);
        if (is_mine)
            continue;
        if (i == 1) {
            LOCK(a->mutex);
            a->is_used = false;
            pthread_cond_broadcast(&a->moved);
            UNLOCK(a->mutex);
        }
        return false;
    }
    return true;
}

static void put(struct fork *fork)
{
    LOCK(fork->mutex);
    fork->is_used = false;
    fork->is_dirty = true;
    if (fork->is_asked_for)
        pthread_cond_broadcast(&fork->moved);
    UNLOCK(fork->mutex);
}

static void dine(int seat)
{
    for (int i = 0; i < ROUNDS; i++) {
        do {
            get(&forks[left(seat)], seat);
            get(&forks[right(seat)], seat);
        } while (!begin(&forks[left(seat)], &forks[right(seat)], seat));
        put(&forks[left(seat)]);
        put(&forks[right(seat)]);
    }
}

int main(void)
{
    for (int i = 0; i < SEATS; i++) {
        pthread_mutex_init(&forks[i].mutex, NULL);
        pthread_cond_init(&forks[i].moved, NULL);
        forks[i].owner = i;
        forks[i].is_dirty = true;
    }
    forks[0].owner = SEATS - 1;
    dinner(dine);
    return 0;
}
