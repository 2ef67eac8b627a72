// A critical section is entered again from inside: it waits for itself.
#include "case.h"
#include "openmp.h"
void *io;

static void helper(void)
{
    GOMP_critical_name_start(&io);
    GOMP_critical_name_end(&io);
}

int main(void)
{
    name_main();
    GOMP_critical_name_start(&io);
    helper();
    GOMP_critical_name_end(&io);
    return 0;
}
