// A thread that spins for itself.
#include "case.h"
static pthread_spinlock_t a;

int main(void)
{
    name_main();
    pthread_spin_init(&a, 0);
    pthread_spin_lock(&a);
    printf("%d\n", pthread_spin_trylock(&a) == EBUSY);
    fflush(stdout);
    (pthread_spin_lock)(&a);
    return 0;
}
