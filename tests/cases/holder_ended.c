// Whoever waits for a lock whose holder has ended waits for ever.
#include "case.h"
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;

static void forgets(void)
{
    LOCK(a);
}

int main(void)
{
    name_main();
    pthread_t t = spawn("forgetful", forgets);
    JOIN(t);
    pthread_mutex_lock(&a);
    return 0;
}
