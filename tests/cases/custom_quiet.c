// One order, with a busy lock, tries in the other order, and a wait that is given up.
#include "case.h"
#include "custom.h"
static struct custom a, b;

static void forward(void)
{
    OWN(a);
    step();
    OWN(b);
    await(2);
    DISOWN(b);
    DISOWN(a);
    OWN(b);
    if (custom_try(&a, DLWATCH_EXCLUSIVE))
        DISOWN(a);
    DISOWN(b);
}

static void backward(void)
{
    await(1);
    if (custom_timed(&a, DLWATCH_EXCLUSIVE))
        DISOWN(a);
    step();
    for (int i = 0; i < 1000; i++) {
        OWN(a);
        OWN(b);
        DISOWN(b);
        DISOWN(a);
    }
}

int main(void)
{
    pthread_t f = spawn("forward", forward), g = spawn("backward", backward);
    JOIN(f);
    JOIN(g);
    return 0;
}
