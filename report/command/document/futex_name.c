#include "report/command/document/model.h"

#include <string.h>

/* Parts of the names of functions that wait on a futex of their own, and what they wait for. */
static const char *const names[][2] = {
    {"__atomic_futex_unsigned", "a std::future"},
    {"std::latch", "a std::latch"},
    {"std::counting_semaphore", "a std::counting_semaphore"},
    {"std::__atomic_semaphore", "a std::counting_semaphore"},
    {"std::barrier", "a std::barrier"},
    {"std::__tree_barrier", "a std::barrier"},
    {"std::atomic", "a std::atomic"},
    {"std::__atomic_wait", "a std::atomic"},
    {"g_mutex_lock", "a GMutex"},
    {"g_cond_wait", "a GCond"},
    {"parking_lot", "a parking_lot lock"},
    {"std::sync::mutex", "a Rust Mutex"},
    {"std::sync::rwlock", "a Rust RwLock"},
    {"std::sync::condvar", "a Rust Condvar"},
    {"std::thread::park", "a parked thread's token"},
};
enum { NAMES = sizeof(names) / sizeof(names[0]) };

/* The outermost of them says most: a latch waits by way of an atomic. */
const char *dlw_futex_name(const struct dlw_stack *stack)
{
    for (size_t k = stack->n; k-- > 0;)
        for (size_t i = 0; stack->frames[k].function && i < NAMES; i++)
            if (strstr(stack->frames[k].function, names[i][0]))
                return names[i][1];
    return NULL;
}
