// The same where the lock was made at run time: its init call tells its life from others.
#include "case.h"
static pthread_mutex_t *m;

static void worker(void)
{
    LOCK(*m);
    UNLOCK(*m);
    step();
}

int main(void)
{
    name_main();
    m = malloc(sizeof(*m));
    pthread_mutex_init(m, NULL);
    pthread_t t = spawn("worker", worker);
    await(1);
    pthread_mutex_lock(m);
    JOIN(t);
    UNLOCK(*m);
    return 0;
}
