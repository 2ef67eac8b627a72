// Another thread gives back, or destroys, what a thread has for reading: told as such. What one has
// for writing too.
#include "case.h"
static pthread_rwlock_t lent = PTHREAD_RWLOCK_INITIALIZER;
static pthread_rwlock_t torn = PTHREAD_RWLOCK_INITIALIZER;
static pthread_rwlock_t written = PTHREAD_RWLOCK_INITIALIZER;

static void reader(void)
{
    RDLOCK(lent);
    RDLOCK(torn);
    step();
    await(3);
    RWUNLOCK(torn);
}

static void writer(void)
{
    WRLOCK(written);
    step();
    await(3);
    RWUNLOCK(written);
}

static void destroy_read(void)
{
    pthread_rwlock_destroy(&torn);
}

static void destroy_written(void)
{
    pthread_rwlock_destroy(&written);
}

int main(void)
{
    name_main();
    pthread_t r = spawn("reader", reader), w = spawn("writer", writer);
    await(2);
    RWUNLOCK(lent);
    destroy_read();
    destroy_written();
    step();
    JOIN(r);
    JOIN(w);
    return 0;
}
