// Spin locks don't sleep, but they hang as well.
#include "case.h"
static pthread_spinlock_t a, b;

static void left(void)
{
    pthread_spin_lock(&a);
    step();
    await(2);
    pthread_spin_lock(&b);
}

static void right(void)
{
    pthread_spin_lock(&b);
    step();
    await(2);
    pthread_spin_lock(&a);
}

int main(void)
{
    pthread_spin_init(&a, 0);
    pthread_spin_init(&b, 0);
    pthread_t l = spawn("left", left), r = spawn("right", right);
    JOIN(l);
    JOIN(r);
    return 0;
}
