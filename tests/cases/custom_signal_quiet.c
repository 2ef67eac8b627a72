// Taken by one thread and let go of by another, with no word about it: a signal, not a lock.
#include "case.h"
#include "custom.h"
static struct custom done, a;

static void start(void)
{
    OWN(done);
    step();
    await(2);
    OWN(a);
    DISOWN(a);
    step();
}

static void finish(void)
{
    await(1);
    DISOWN(done);
    step();
    await(3);
    OWN(a);
    OWN(done);
    DISOWN(done);
    DISOWN(a);
}

int main(void)
{
    pthread_t s = spawn("start", start), f = spawn("finish", finish);
    JOIN(s);
    JOIN(f);
    return 0;
}
