// A once-routine that runs itself once more.
#include "case.h"
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void routine(void)
{
    pthread_once(&once, routine);
}

int main(void)
{
    name_main();
    (pthread_once)(&once, routine);
    return 0;
}
