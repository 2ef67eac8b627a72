// OpenMP's locks, nest locks and critical sections in two orders within one region.
#include "case.h"
#include "openmp.h"
static omp_lock_t a, b;
static omp_nest_lock_t c, d;
void *io, *table;

static void locks(int number)
{
    omp_set_lock(number ? &b : &a);
    omp_set_lock(number ? &a : &b);
    omp_unset_lock(number ? &a : &b);
    omp_unset_lock(number ? &b : &a);
}

static void nest_locks(int number)
{
    omp_set_nest_lock(number ? &d : &c);
    omp_set_nest_lock(number ? &d : &c); // again: no order
    omp_set_nest_lock(number ? &c : &d);
    omp_unset_nest_lock(number ? &c : &d);
    omp_unset_nest_lock(number ? &d : &c);
    omp_unset_nest_lock(number ? &d : &c);
    omp_set_nest_lock(number ? &c : &d); // the other is free now
    omp_unset_nest_lock(number ? &c : &d);
}

static void sections(int number)
{
    GOMP_critical_name_start(number ? &table : &io);
    GOMP_critical_name_start(number ? &io : &table);
    GOMP_critical_name_end(number ? &io : &table);
    GOMP_critical_name_end(number ? &table : &io);
}

static void region(void *unused)
{
    int number = omp_get_thread_num();
    (void)unused;
    pthread_setname_np(pthread_self(), number ? "second" : "first");
    await(number);
    locks(number);
    nest_locks(number);
    sections(number);
    step();
}

int main(void)
{
    omp_init_lock(&a);
    omp_init_lock(&b);
    omp_init_nest_lock(&c);
    omp_init_nest_lock(&d);
    GOMP_parallel(region, NULL, 2, 0);
    return 0;
}
