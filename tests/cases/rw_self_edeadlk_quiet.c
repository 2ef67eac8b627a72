// A writer that asks again gets EDEADLK from glibc, no wait.
#include "case.h"
static pthread_rwlock_t l = PTHREAD_RWLOCK_INITIALIZER;

int main(void)
{
    WRLOCK(l);
    printf("%d %d\n", WRLOCK(l) == EDEADLK, RDLOCK(l) == EDEADLK);
    RWUNLOCK(l);
    return 0;
}
