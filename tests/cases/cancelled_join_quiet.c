// A thread that joins, and whose cancellation is under way, is not stuck: neither where it was
// cancelled in the join nor where it was before it began.
#include "asleep.h"
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;

static void *needs(void *arg)
{
    LOCK(a);
    UNLOCK(a);
    return arg;
}

static void *joins(void *needy)
{
    JOIN(*(pthread_t *)needy);
    return NULL;
}

int main(void)
{
    for (int i = 0; i < 300; i++) {
        pthread_t needy, joiner;
        void *result;
        LOCK(a);
        pthread_create(&needy, NULL, needs, NULL);
        pthread_create(&joiner, NULL, joins, &needy);
        for (int pauses = i % 30; pauses > 0; pauses--)
            sched_yield();
        pthread_cancel(joiner);
        pthread_join(joiner, &result);
        UNLOCK(a);
        if (result == PTHREAD_CANCELED)
            JOIN(needy);
    }
    return 0;
}
