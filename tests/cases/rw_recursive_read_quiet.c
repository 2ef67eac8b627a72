// Reading again is fine where readers go first, even with writers about.
#include "case.h"
static pthread_rwlock_t l = PTHREAD_RWLOCK_INITIALIZER;

static void reader(void)
{
    for (int i = 0; i < 2000; i++) {
        RDLOCK(l);
        RDLOCK(l);
        RWUNLOCK(l);
        RWUNLOCK(l);
    }
}

static void writer(void)
{
    for (int i = 0; i < 2000; i++) {
        WRLOCK(l);
        RWUNLOCK(l);
    }
}

int main(void)
{
    pthread_t r = spawn("reader", reader), w = spawn("writer", writer);
    JOIN(r);
    JOIN(w);
    return 0;
}
