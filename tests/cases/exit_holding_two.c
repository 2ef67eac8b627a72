// Two threads, created at one place, each forget another lock: two mistakes.
#include "case.h"
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;

static void forgets(void)
{
    LOCK(a);
}

static void forgets_too(void)
{
    LOCK(b);
}

int main(void)
{
    void (*roles[])(void) = {forgets, forgets_too};
    for (int i = 0; i < 2; i++)
        JOIN(spawn("forgetful", roles[i]));
    return 0;
}
