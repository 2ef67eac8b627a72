#include "locks.h"

static int paid;

static void *pay_first(void *unused)
{
    pay(unused);
    __atomic_store_n(&paid, 1, __ATOMIC_SEQ_CST);
    return unused;
}

static void *then_check(void *unused)
{
    while (!__atomic_load_n(&paid, __ATOMIC_SEQ_CST))
        ;
    return check(unused);
}

int main(void)
{
    pthread_t threads[2];

    pthread_create(&threads[0], 0, pay_first, 0);
    pthread_create(&threads[1], 0, then_check, 0);
    pthread_join(threads[0], 0);
    pthread_join(threads[1], 0);
    return 0;
}
