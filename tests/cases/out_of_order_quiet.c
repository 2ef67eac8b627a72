// As out_of_order_inversion, but what comes after E elsewhere had gone by then: A and B.
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
    LOCK(a);
    LOCK(b);
    UNLOCK(e);
    UNLOCK(b);
    UNLOCK(a);
}

int main(void)
{
    pthread_t w = spawn("walker", walker), o = spawn("other", other);
    JOIN(w);
    JOIN(o);
    return 0;
}
