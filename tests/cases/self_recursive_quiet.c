// The recursive kind counts.
#include "case.h"
static pthread_mutex_t a = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static pthread_mutex_t b = PTHREAD_MUTEX_INITIALIZER;

static void nest(void)
{
    for (int i = 0; i < 500; i++) {
        LOCK(a);
        LOCK(b);
        LOCK(a); // held already: adds no order b -> a
        UNLOCK(a);
        UNLOCK(b);
        UNLOCK(a);
    }
}

int main(void)
{
    pthread_t l = spawn("left", nest), r = spawn("right", nest);
    JOIN(l);
    JOIN(r);
    return 0;
}
