/*
 * The global locks of the interpreters in this process: one until 3.11, then one for each
 * interpreter that asked for its own. Read through the kernel where the memory may be gone.
 */
#ifndef DLW_PYTHON_GILS_H
#define DLW_PYTHON_GILS_H

#include "interpose/python/runtime.h"

#include <pthread.h>

/* The GIL that has this condition; 0: it is none. Cheap when asked again. */
uintptr_t dlw_gil_of_condition(uintptr_t condition);

/* Is it taken? Its mutex is held, or else the answer is a moment old. */
static inline bool dlw_gil_locked(uintptr_t gil)
{
    return atomic_load_explicit((const _Atomic int *)(gil + DLW_GIL_LOCKED), /* NOLINT */
                                memory_order_relaxed) == 1;
}

/* The same of one that may be gone. */
bool dlw_gil_is_taken(uintptr_t gil);

/* By its own words: it is taken, and the thread with this handle had it last. */
bool dlw_gil_is_with(uintptr_t gil, pthread_t handle);

/* Its interpreter is ending, has ended, or is gone: nobody waits for it any more, whoever has it.
 */
bool dlw_gil_is_over(uintptr_t gil);

/* Why nothing is certain about it: a static text, or NULL. An interpreter that ends lets those who
 * wait for its GIL leave. */
const char *dlw_gil_doubt(uintptr_t gil);

#endif
