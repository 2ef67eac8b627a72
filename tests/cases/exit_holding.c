// A thread that ends with a lock held; nobody waits for it yet.
#include "case.h"
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;

static void forgets(void)
{
    LOCK(a);
    pthread_exit(NULL);
}

int main(void)
{
    pthread_t t = spawn("forgetful", forgets);
    JOIN(t);
    return 0;
}
