// The adaptive kind waits for itself too.
#include "case.h"
static pthread_mutex_t a = PTHREAD_ADAPTIVE_MUTEX_INITIALIZER_NP;

int main(void)
{
    name_main();
    pthread_mutex_lock(&a);
    LOCK(a);
    return 0;
}
