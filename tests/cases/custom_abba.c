// Two locks of the program's own in opposite orders: a deadlock that pthread calls don't show.
#include "case.h"
#include "custom.h"
static struct custom a, b;

static void left(void)
{
    OWN(a);
    step();
    await(2);
    OWN(b);
}

static void right(void)
{
    OWN(b);
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
