// Readers of the program's own locks let each other in, in any order.
#include "case.h"
#include "custom.h"
static struct custom a, b;

static void forward(void)
{
    SHARE(a);
    step();
    await(2);
    SHARE(b);
    DISOWN(b);
    DISOWN(a);
}

static void backward(void)
{
    SHARE(b);
    step();
    await(2);
    SHARE(a);
    DISOWN(a);
    DISOWN(b);
}

int main(void)
{
    pthread_t f = spawn("forward", forward), g = spawn("backward", backward);
    JOIN(f);
    JOIN(g);
    return 0;
}
