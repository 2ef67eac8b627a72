// What a thread did before it created another comes before all that the other does.
#include "case.h"
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;

static void child(void)
{
    LOCK(b);
    LOCK(a);
    UNLOCK(a);
    UNLOCK(b);
}

int main(void)
{
    name_main();
    LOCK(a);
    LOCK(b);
    UNLOCK(b);
    UNLOCK(a);
    pthread_t t = spawn("child", child);
    JOIN(t);
    return 0;
}
