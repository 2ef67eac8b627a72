// A spin lock and a mutex in both orders.
#include "case.h"
static pthread_spinlock_t a;
static pthread_mutex_t b = PTHREAD_MUTEX_INITIALIZER;

static void forward(void)
{
    pthread_spin_lock(&a);
    LOCK(b);
    UNLOCK(b);
    pthread_spin_unlock(&a);
    step();
}

static void backward(void)
{
    await(1);
    LOCK(b);
    pthread_spin_lock(&a);
    pthread_spin_unlock(&a);
    UNLOCK(b);
}

int main(void)
{
    pthread_spin_init(&a, 0);
    pthread_t f = spawn("forward", forward), g = spawn("backward", backward);
    JOIN(f);
    JOIN(g);
    return 0;
}
