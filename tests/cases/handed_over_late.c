// options: on_deadlock=continue
// A mutex that another thread unlocks after all: what was told of the owner was right by POSIX, and
// what broke the rule is told as well.
#include "asleep.h"
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;

static void lets_go(void)
{
    await(1);
    await_asleep(getpid());
    UNLOCK(m);
}

int main(void)
{
    name_main();
    pthread_t other = spawn("other", lets_go);
    (pthread_mutex_lock)(&m);
    step();
    LOCK(m);
    JOIN(other);
    return 0;
}
