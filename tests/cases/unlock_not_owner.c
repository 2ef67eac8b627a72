// A mutex unlocked by a thread that does not hold it, while another does. Said once.
#include "case.h"
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;

static void thief(void)
{
    UNLOCK(m);
}

int main(void)
{
    name_main();
    for (int i = 0; i < 20; i++) {
        pthread_mutex_lock(&m);
        pthread_t t = spawn("thief", thief);
        JOIN(t);
    }
    return 0;
}
