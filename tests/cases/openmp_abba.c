// Two threads of a parallel region, two OpenMP locks in opposite orders.
#include "case.h"
#include "openmp.h"
static omp_lock_t a, b;

static void region(void *unused)
{
    int number = omp_get_thread_num();
    (void)unused;
    pthread_setname_np(pthread_self(), number ? "right" : "left");
    omp_set_lock(number ? &b : &a);
    step();
    await(2);
    omp_set_lock(number ? &a : &b);
}

int main(void)
{
    omp_init_lock(&a);
    omp_init_lock(&b);
    GOMP_parallel(region, NULL, 2, 0);
    return 0;
}
