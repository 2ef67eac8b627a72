// Locks released in another order than they were taken: what is still held stays known, and so is
// where it was taken. E comes after D, though B, which lay between A and D, has gone.
#include "case.h"
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t b = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t c = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t d = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t e = PTHREAD_MUTEX_INITIALIZER;

static void walker(void)
{
    LOCK(a);
    LOCK(b);
    LOCK(c);
    pthread_mutex_lock(&d);
    UNLOCK(b);
    UNLOCK(a);
    pthread_mutex_lock(&e);
    UNLOCK(c);
    UNLOCK(e);
    UNLOCK(d);
    step();
}

static void other(void)
{
    await(1);
    LOCK(e);
    LOCK(d);
    UNLOCK(e);
    UNLOCK(d);
}

int main(void)
{
    pthread_t w = spawn("walker", walker), o = spawn("other", other);
    JOIN(w);
    JOIN(o);
    return 0;
}
