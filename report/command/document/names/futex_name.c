#include "report/command/document/model.h"

#include <string.h>

/* Parts of the names of functions that wait on a futex of their own, what they wait for, and whose
 * locks that are: of those the C++ library's are none. */
static const char rust[] = "Rust's std", parking_lot[] = "parking_lot", qt[] = "Qt";
static const char *const names[][3] = {
    {"__atomic_futex_unsigned", "a std::future", NULL},
    {"std::latch", "a std::latch", NULL},
    {"std::counting_semaphore", "a std::counting_semaphore", NULL},
    {"std::__atomic_semaphore", "a std::counting_semaphore", NULL},
    {"std::barrier", "a std::barrier", NULL},
    {"std::__tree_barrier", "a std::barrier", NULL},
    {"std::atomic", "a std::atomic", NULL},
    {"std::__atomic_wait", "a std::atomic", NULL},
    {"g_mutex_lock", "a GMutex", NULL},
    {"g_cond_wait", "a GCond", NULL},
    {"parking_lot", "a parking_lot lock", parking_lot},
    {"std::sync::mutex", "a Rust Mutex", rust},
    {"std::sync::poison::mutex", "a Rust Mutex", rust},
    {"std::sync::nonpoison::mutex", "a Rust Mutex", rust},
    {"std::sys::sync::mutex", "a Rust Mutex", rust},
    {"futex_mutex::Mutex", "a Rust Mutex", rust},
    {"std::sync::rwlock", "a Rust RwLock", rust},
    {"std::sync::poison::rwlock", "a Rust RwLock", rust},
    {"std::sync::nonpoison::rwlock", "a Rust RwLock", rust},
    {"std::sys::sync::rwlock", "a Rust RwLock", rust},
    {"futex_rwlock::RwLock", "a Rust RwLock", rust},
    {"std::sync::condvar", "a Rust Condvar", NULL},
    {"std::sync::poison::condvar", "a Rust Condvar", NULL},
    {"std::sync::nonpoison::condvar", "a Rust Condvar", NULL},
    {"std::sys::sync::condvar", "a Rust Condvar", NULL},
    {"futex_condvar::Condvar", "a Rust Condvar", NULL},
    {"std::sys::sync::once", "a Rust Once", rust},
    {"std::thread::park", "a parked thread's token", NULL},
    {"std::sys::sync::thread_parking", "a parked thread's token", NULL},
    {"QBasicMutex", "a QMutex", qt},
    {"QMutex", "a QMutex", qt},
    {"QRecursiveMutex", "a QRecursiveMutex", qt},
    {"QReadWriteLock", "a QReadWriteLock", qt},
    {"QSemaphore", "a QSemaphore", NULL},
};
enum { NAMES = sizeof(names) / sizeof(names[0]) };

/* The outermost of them says most: a latch waits by way of an atomic. */
static const char *const *find(const struct dlw_stack *stack)
{
    for (size_t k = stack->n; k-- > 0;)
        for (size_t i = 0; stack->frames[k].function && i < NAMES; i++)
            if (strstr(stack->frames[k].function, names[i][0]))
                return names[i];
    return NULL;
}

const char *dlw_futex_name(const struct dlw_stack *stack)
{
    const char *const *found = find(stack);

    return found ? found[1] : NULL;
}

const char *dlw_unowned_locks(struct dlw_region *region, const struct dlw_doc_state *threads,
                              size_t n)
{
    static const char *const all[] = {rust, parking_lot, qt};
    const char *text = NULL;

    for (size_t k = 0; k < sizeof(all) / sizeof(all[0]); k++)
        for (size_t i = 0; i < n; i++) {
            const char *const *found =
                threads[i].waits == DLW_WAIT_FUTEX ? find(&threads[i].stack) : NULL;
            if (!found || found[2] != all[k])
                continue;
            text = text ? dlw_region_print(region, "%s and %s", text, all[k]) : all[k];
            break;
        }
    return text;
}
