// A reader that reads again behind a waiting writer, where writers go first, waits for ever.
#include "case.h"
static pthread_rwlock_t l;

static void reader(void)
{
    RDLOCK(l);
    step();
    while (pthread_rwlock_tryrdlock(&l) == 0) { // EBUSY: the writer waits now
        RWUNLOCK(l);
        sched_yield();
    }
    pthread_rwlock_rdlock(&l);
}

static void writer(void)
{
    await(1);
    WRLOCK(l);
}

int main(void)
{
    pthread_rwlockattr_t attr;
    pthread_rwlockattr_init(&attr);
    pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(&l, &attr);
    pthread_t r = spawn("reader", reader), w = spawn("writer", writer);
    JOIN(r);
    JOIN(w);
    return 0;
}
