// A condition wait gives the lock up, and ends the hold that the thread had to wait for. (Twin of
// create_held_orders.)
#include "case.h"
static pthread_mutex_t start = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t begun = PTHREAD_COND_INITIALIZER;
static int has_begun;

static void worker(void)
{
    LOCK(start);
    has_begun = 1;
    pthread_cond_signal(&begun);
    UNLOCK(start);
    await(1);
    LOCK(b);
    LOCK(a);
    UNLOCK(a);
    UNLOCK(b);
}

int main(void)
{
    name_main();
    LOCK(start);
    pthread_t t = spawn("worker", worker);
    while (!has_begun)
        pthread_cond_wait(&begun, &start);
    LOCK(a);
    LOCK(b);
    UNLOCK(b);
    UNLOCK(a);
    UNLOCK(start);
    step();
    JOIN(t);
    return 0;
}
