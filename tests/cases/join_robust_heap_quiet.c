// The robust mutex that the worker took is gone; another lives at its address. (Twin of
// join_robust_heap.)
#include "case.h"
static pthread_mutex_t *m;

static void works(void)
{
    LOCK(*m);
    UNLOCK(*m);
    step();
}

int main(void)
{
    pthread_mutexattr_t attr;
    name_main();
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
    m = malloc(sizeof *m);
    pthread_mutex_init(m, &attr);
    pthread_t t = spawn("works", works);
    await(1);
    pthread_mutex_destroy(m);
    pthread_mutex_init(m, &attr);
    LOCK(*m);
    JOIN(t);
    UNLOCK(*m);
    return 0;
}
