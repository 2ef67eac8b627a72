// The error-checking kind says EDEADLK, and a program that heeds it is right.
#include "case.h"

int main(void)
{
    pthread_mutex_t a;
    init_mutex(&a, PTHREAD_MUTEX_ERRORCHECK);
    LOCK(a);
    printf("%s\n", LOCK(a) == EDEADLK ? "EDEADLK" : "?");
    UNLOCK(a);
    pthread_mutex_destroy(&a);
    return 0;
}
