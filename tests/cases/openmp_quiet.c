// What OpenMP keeps apart: regions run one after the other, and so does what a barrier parts. In
// one region and phase all take the same order.
#include "case.h"
#include "openmp.h"
#include <sys/mman.h>
static omp_lock_t a, b;
void *io;

static void in_order(omp_lock_t *outer, omp_lock_t *inner)
{
    omp_set_lock(outer);
    omp_set_lock(inner);
    GOMP_critical_start();
    GOMP_critical_name_start(&io);
    GOMP_critical_name_end(&io);
    GOMP_critical_end();
    omp_unset_lock(inner);
    omp_unset_lock(outer);
}

static void forward(void *unused)
{
    (void)unused;
    for (int i = 0; i < 100 && omp_get_thread_num() == 1; i++)
        in_order(&a, &b);
}

static void backward_and_forward(void *unused)
{
    (void)unused;
    if (omp_get_thread_num() == 0)
        in_order(&b, &a);
    GOMP_barrier();
    if (omp_get_thread_num() == 1)
        in_order(&a, &b);
}

/* gcc's OpenMP looks at nothing there. */
static void destroyed_when_it_has_gone(void)
{
    omp_lock_t *lock =
        mmap(NULL, sizeof(*lock), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    omp_init_lock(lock);
    munmap(lock, sizeof(*lock));
    omp_destroy_lock(lock);
}

int main(void)
{
    omp_init_lock(&a);
    omp_init_lock(&b);
    name_main();
    GOMP_parallel(forward, NULL, 2, 0);
    GOMP_parallel(backward_and_forward, NULL, 2, 0);
    omp_destroy_lock(&a);
    omp_destroy_lock(&b);
    destroyed_when_it_has_gone();
    return 0;
}
