// A spin lock whose holder has ended spins for ever.
#include "case.h"
static pthread_spinlock_t a;

static void forgets(void)
{
    pthread_spin_lock(&a);
}

int main(void)
{
    name_main();
    pthread_spin_init(&a, 0);
    pthread_t t = spawn("forgetful", forgets);
    JOIN(t);
    pthread_spin_lock(&a);
    return 0;
}
