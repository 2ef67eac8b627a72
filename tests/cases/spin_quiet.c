// Spin locks in one order, contended.
#include "case.h"
static pthread_spinlock_t a, b;

static void both(void)
{
    for (int i = 0; i < 500; i++) {
        pthread_spin_lock(&a);
        pthread_spin_lock(&b);
        pthread_spin_unlock(&a);
        pthread_spin_unlock(&b);
    }
}

int main(void)
{
    pthread_spin_init(&a, 0);
    pthread_spin_init(&b, 0);
    pthread_t l = spawn("left", both), r = spawn("right", both);
    JOIN(l);
    JOIN(r);
    pthread_spin_destroy(&a);
    pthread_spin_destroy(&b);
    return 0;
}
