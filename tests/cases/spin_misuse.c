// A spin lock is given back by another thread, by one where nobody has it, and destroyed while
// held.
#include "case.h"
static pthread_spinlock_t theirs, nobodys, held;

static void thief(void)
{
    pthread_spin_unlock(&theirs);
}

int main(void)
{
    name_main();
    pthread_spin_init(&theirs, 0);
    pthread_spin_init(&nobodys, 0);
    pthread_spin_init(&held, 0);
    pthread_spin_lock(&theirs);
    JOIN(spawn("thief", thief));
    pthread_spin_unlock(&nobodys);
    (pthread_spin_lock)(&held);
    pthread_spin_destroy(&held);
    return 0;
}
