// As buffer_monitor, but whoever prints the statistics looks into the buffer as well: the two
// mutexes the other way round.
#include "case.h"
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER, statistics = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t not_empty = PTHREAD_COND_INITIALIZER;
static int n, moved;

static void producer(void)
{
    LOCK(m);
    n++;
    (pthread_mutex_lock)(&statistics);
    moved++;
    UNLOCK(statistics);
    pthread_cond_signal(&not_empty);
    UNLOCK(m);
    step();
}

static void printer(void)
{
    await(1);
    LOCK(statistics);
    (pthread_mutex_lock)(&m);
    printf("%d of %d\n", n, moved);
    UNLOCK(m);
    UNLOCK(statistics);
}

int main(void)
{
    pthread_t p = spawn("producer", producer), q = spawn("printer", printer);
    JOIN(p);
    JOIN(q);
    return 0;
}
