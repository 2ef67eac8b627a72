// A writer waits for three readers; only one of them can never go on, and that is enough.
#include "case.h"
static pthread_rwlock_t shared = PTHREAD_RWLOCK_INITIALIZER;
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;

static void bystander(void)
{
    RDLOCK(shared);
    step();
    await(5);
    RWUNLOCK(shared);
}

static void reader(void)
{
    RDLOCK(shared);
    step();
    await(4);
    LOCK(m);
}

static void writer(void)
{
    LOCK(m);
    step();
    await(4);
    WRLOCK(shared);
}

int main(void)
{
    pthread_t threads[] = {spawn("by1", bystander), spawn("by2", bystander),
                           spawn("reader", reader), spawn("writer", writer)};
    for (int i = 0; i < 4; i++)
        JOIN(threads[i]);
    return 0;
}
