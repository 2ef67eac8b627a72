// A circle of one of the program's own locks and a mutex.
#include "case.h"
#include "custom.h"
static struct custom a;
static pthread_mutex_t b = PTHREAD_MUTEX_INITIALIZER;

static void left(void)
{
    OWN(a);
    step();
    await(2);
    LOCK(b);
}

static void right(void)
{
    LOCK(b);
    step();
    await(2);
    OWN(a);
}

int main(void)
{
    pthread_t l = spawn("left", left), r = spawn("right", right);
    JOIN(l);
    JOIN(r);
    return 0;
}
