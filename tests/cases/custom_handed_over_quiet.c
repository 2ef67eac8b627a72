// A lock goes with the work from thread to thread: whoever gave it away holds it no more.
#include "case.h"
#include "custom.h"
static struct custom work, a;

static void give(void)
{
    OWN(work);
    dlwatch_handed_over(&work);
    OWN(a);
    DISOWN(a);
    step();
}

static void take(void)
{
    await(1);
    dlwatch_taken_over(&work, DLWATCH_EXCLUSIVE);
    DISOWN(work);
    step();
}

static void other_way(void)
{
    await(2);
    OWN(a);
    OWN(work);
    DISOWN(work);
    DISOWN(a);
}

int main(void)
{
    pthread_t g = spawn("give", give), t = spawn("take", take), o = spawn("other", other_way);
    JOIN(g);
    JOIN(t);
    JOIN(o);
    return 0;
}
