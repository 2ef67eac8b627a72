// A thread that ends with one of the program's own locks in hand.
#include "case.h"
#include "custom.h"
static struct custom a;

static void play(void)
{
    OWN(a);
}

int main(void)
{
    JOIN(spawn("worker", play));
    return 0;
}
