// A spin lock that is made again is another lock, and what a thread was seen to do with the one
// before is to be learned anew, by the same thread at the same place.
#include "case.h"
static pthread_spinlock_t a;
static pthread_mutex_t b = PTHREAD_MUTEX_INITIALIZER;

static void forward(void)
{
    for (int life = 0; life < 2; life++) {
        pthread_spin_init(&a, 0);
        for (int i = 0; i < 3; i++) {
            pthread_spin_lock(&a);
            LOCK(b);
            UNLOCK(b);
            pthread_spin_unlock(&a);
        }
        if (life == 0)
            pthread_spin_destroy(&a);
    }
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
    pthread_t f = spawn("forward", forward), g = spawn("backward", backward);
    JOIN(f);
    JOIN(g);
    return 0;
}
