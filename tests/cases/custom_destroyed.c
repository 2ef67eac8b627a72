// Destroying one of the program's own locks while a thread holds it.
#include "case.h"
#include "custom.h"
static struct custom a;

int main(void)
{
    name_main();
    dlwatch_created(&a);
    OWN(a);
    dlwatch_destroyed(&a);
    return 0;
}
