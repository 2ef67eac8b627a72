// Read locks can't be upgraded: the writer waits for the reader it is itself.
#include "case.h"
static pthread_rwlock_t l = PTHREAD_RWLOCK_INITIALIZER;

int main(void)
{
    name_main();
    RDLOCK(l);
    WRLOCK(l);
    return 0;
}
