// A thread that waits for its own lock.
#include "case.h"
#include "custom.h"
static struct custom a;

int main(void)
{
    name_main();
    OWN(a);
    OWN(a);
    return 0;
}
