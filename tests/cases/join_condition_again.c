// The same where the thread signals in each of its holds: it may as well have had more of them to
// come. Nothing is said of a condition.
#include "case.h"
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t counted = PTHREAD_COND_INITIALIZER;
static int n;

static void worker(void)
{
    for (int i = 0; i < 3; i++) {
        LOCK(m);
        n++;
        pthread_cond_signal(&counted);
        UNLOCK(m);
    }
}

int main(void)
{
    name_main();
    LOCK(m);
    pthread_t t = spawn("worker", worker);
    while (n < 3)
        (pthread_cond_wait)(&counted, &m);
    pthread_join(t, NULL);
    UNLOCK(m);
    return 0;
}
