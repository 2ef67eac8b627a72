// options: stall_after=1
// A barrier for three where only two will ever come.
#include "case.h"
static pthread_barrier_t barrier;

static void comes(void)
{
    pthread_barrier_wait(&barrier);
}

int main(void)
{
    name_main();
    pthread_barrier_init(&barrier, NULL, 3);
    pthread_t x = spawn("one", comes), y = spawn("two", comes);
    JOIN(x);
    JOIN(y);
    return 0;
}
