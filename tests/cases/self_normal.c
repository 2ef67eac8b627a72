// A thread that takes its own normal mutex again waits for itself.
#include "case.h"
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;

static void inner(void)
{
    LOCK(a);
}

int main(void)
{
    name_main();
    pthread_mutex_lock(&a);
    inner();
    return 0;
}
