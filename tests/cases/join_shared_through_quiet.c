// The third thread takes another mutex than the worker took, at the same address. (Twin of
// join_shared_through.)
#include "case.h"
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, *b;

static void third(void)
{
    await(2);
    LOCK(*b);
    LOCK(a);
    UNLOCK(a);
    UNLOCK(*b);
    step();
}

static void worker(void)
{
    LOCK(*b);
    UNLOCK(*b);
    step();
}

int main(void)
{
    pthread_mutexattr_t attr;
    name_main();
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
    b = malloc(sizeof *b);
    pthread_mutex_init(b, &attr);
    pthread_t t = spawn("third", third), w = spawn("worker", worker);
    await(1);
    pthread_mutex_destroy(b);
    pthread_mutex_init(b, &attr);
    step();
    await(3);
    LOCK(a);
    JOIN(w);
    UNLOCK(a);
    JOIN(t);
    return 0;
}
