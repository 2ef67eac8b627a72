// options: exitcode=5
// Nothing found, nothing changed.
#include "case.h"
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;

int main(void)
{
    LOCK(a);
    UNLOCK(a);
    return 3;
}
