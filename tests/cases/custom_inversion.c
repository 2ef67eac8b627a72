// The program's own locks in both orders, one after the other.
#include "case.h"
#include "custom.h"
static struct custom a, b;

static void forward(void)
{
    OWN(a);
    OWN(b);
    DISOWN(b);
    DISOWN(a);
    step();
}

static void backward(void)
{
    await(1);
    OWN(b);
    OWN(a);
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
