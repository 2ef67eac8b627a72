// New evidence for an old edge: first all under the gate, then once without it.
#include "case.h"
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;

static void under_gate(pthread_mutex_t *first, pthread_mutex_t *second)
{
    LOCK(gate);
    LOCK(*first);
    LOCK(*second);
    UNLOCK(*second);
    UNLOCK(*first);
    UNLOCK(gate);
}

static void forward(void)
{
    under_gate(&a, &b);
    step();
    await(2);
    LOCK(a);
    LOCK(b);
    UNLOCK(b);
    UNLOCK(a);
    step();
}

static void backward(void)
{
    await(1);
    under_gate(&b, &a);
    step();
    await(3);
    LOCK(b);
    LOCK(a);
    UNLOCK(a);
    UNLOCK(b);
}

int main(void)
{
    pthread_t f = spawn("forward", forward), g = spawn("backward", backward);
    JOIN(f);
    JOIN(g);
    return 0;
}
