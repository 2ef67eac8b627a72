/* Groups of locks, each taken in every rotation. */
#include "case.h"

enum { GROUPS = 12, SIZE = 16 };

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t *locks[GROUPS];

static inline void make_locks(void)
{
    for (int group = 0; group < GROUPS; group++) {
        locks[group] = (pthread_mutex_t *)malloc(SIZE * sizeof(pthread_mutex_t));
        for (int i = 0; i < SIZE; i++)
            pthread_mutex_init(&locks[group][i], NULL);
    }
}

static inline void rotate(pthread_mutex_t *group, int first)
{
    for (int i = 0; i < SIZE; i++)
        LOCK(group[(first + i) % SIZE]);
    for (int i = 0; i < SIZE; i++)
        UNLOCK(group[(first + i) % SIZE]);
}

static inline void rotate_all(void)
{
    for (int group = 0; group < GROUPS; group++)
        for (int first = 0; first < SIZE; first++)
            rotate(locks[group], first);
}

static inline void rotate_all_gated(void)
{
    LOCK(gate);
    rotate_all();
    UNLOCK(gate);
}
