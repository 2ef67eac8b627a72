/* What the cases use of libgomp: called as gcc's code for OpenMP does it, so that any compiler can
 * make them. */
#ifndef DLW_TESTS_OPENMP_H
#define DLW_TESTS_OPENMP_H

typedef struct {
    int x;
} omp_lock_t;
typedef struct {
    int lock, count;
    void *owner;
} omp_nest_lock_t;
void omp_init_lock(omp_lock_t *lock);
void omp_destroy_lock(omp_lock_t *lock);
void omp_set_lock(omp_lock_t *lock);
int omp_test_lock(omp_lock_t *lock);
void omp_unset_lock(omp_lock_t *lock);
void omp_init_nest_lock(omp_nest_lock_t *lock);
void omp_set_nest_lock(omp_nest_lock_t *lock);
int omp_test_nest_lock(omp_nest_lock_t *lock);
void omp_unset_nest_lock(omp_nest_lock_t *lock);
int omp_get_thread_num(void);
void GOMP_critical_start(void);
void GOMP_critical_end(void);
void GOMP_critical_name_start(void **section);
void GOMP_critical_name_end(void **section);
void GOMP_parallel(void (*region)(void *), void *data, unsigned threads, unsigned flags);
void GOMP_barrier(void);

#endif
