// The main thread ends by pthread_exit with a lock that another waits for.
#include "case.h"
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;

static void want(void)
{
    step();
    LOCK(a);
}

int main(void)
{
    name_main();
    LOCK(a);
    spawn("want", want);
    await(1);
    pthread_exit(NULL);
}
